import JSONText
import JobModel
import Recipe
import Text

extension WorkerEvent {
  /// The event as one line without its newline: `event` first, `time` as RFC 3339.
  package func line(time: String) -> String {
    var line = EventLine(name)
    switch self {
    case .metric(let metric), .evaluation(let metric):
      line.add("step", .integer(metric.step))
      line.add("epoch", .integer(metric.epoch))
      line.add("time", .string(time))
      for value in metric.values { line.add(value.name, .number(value.value)) }
    case .started(let start):
      line.add("time", .string(time))
      line.add("attempt", .integer(start.attempt))
      line.add("step", .integer(start.step))
      line.add("steps", .integer(start.steps))
      line.add("epochs", .integer(start.epochs))
      for (key, value) in start.host.members { line.add(key, value) }
    case .checkpoint(let manifest):
      line.add("time", .string(time))
      for (key, value) in manifest.members { line.add(key, value) }
    case .artifact(let manifest):
      line.add("time", .string(time))
      for (key, value) in manifest.members { line.add(key, value) }
    case .health(let health):
      line.add("step", .optional(health.step))
      line.add("time", .string(time))
      line.add("state", .string(health.state.rawValue))
      line.add("message", .optional(health.message))
    case .warning(let message):
      line.add("time", .string(time))
      line.add("message", .string(message))
    case .result(let result):
      line.add("time", .string(time))
      line.add("result", result)
    case .yielded(let step, let reason, let message):
      line.add("time", .string(time))
      line.add("step", .integer(step))
      if let reason { line.add("reason", .string(reason.rawValue)) }
      if let message { line.add("message", .string(message)) }
    case .end(let end):
      line.add("time", .string(time))
      line.add("state", .string(end.state.rawValue))
      if let reason = end.reason { line.add("reason", .string(reason.rawValue)) }
      if let message = end.message { line.add("message", .string(message)) }
    }
    return line.finish()
  }

  /// Reads a line's value; `nil` for one that no worker writes, such as one with a number outside its
  /// `RecordedRange`.
  package init?(json: JSON) {
    guard let members = json.object, RecordedRange.allow(members) else { return nil }
    switch json["event"]?.string {
    case "started":
      guard let attempt = json["attempt"]?.int, let step = json["step"]?.int, let steps = json["steps"]?.int,
        let epochs = json["epochs"]?.int, let host = JobHost(json: json)
      else { return nil }
      self = .started(RunStart(attempt: attempt, step: step, steps: steps, epochs: epochs, host: host))
    case "metric":
      guard let line = MetricLine(members) else { return nil }
      self = .metric(line)
    case "evaluation":
      guard let line = MetricLine(members) else { return nil }
      self = .evaluation(line)
    case "checkpoint":
      guard let manifest = CheckpointManifest(json: json) else { return nil }
      self = .checkpoint(manifest)
    case "artifact":
      guard let manifest = ArtifactManifest(json: json) else { return nil }
      self = .artifact(manifest)
    case "health":
      guard let state = json["state"]?.string.flatMap(HealthState.init(bytes:)),
        let step = json["step"]?.int(in: RecordedRange.steps)
      else { return nil }
      self = .health(JobHealth(state, message: json["message"]?.string?.string, step: step))
    case "warning": self = .warning(message: json["message"]?.string?.string ?? "")
    case "result": self = .result(json["result"] ?? .null)
    case "yielded":
      self = .yielded(
        step: json["step"]?.int ?? 0, reason: json["reason"]?.string.flatMap(Reason.init(bytes:)),
        message: json["message"]?.string?.string)
    case "end":
      guard let state = json["state"]?.string.flatMap(JobState.init(bytes:)), state.isFinished else {
        return nil
      }
      self = .end(
        RunEnd(
          state: state, reason: json["reason"]?.string.flatMap(Reason.init(bytes:)),
          message: json["message"]?.string?.string))
    default: return nil
    }
  }

  private var name: String {
    switch self {
    case .started: "started"
    case .metric: "metric"
    case .evaluation: "evaluation"
    case .checkpoint: "checkpoint"
    case .artifact: "artifact"
    case .health: "health"
    case .warning: "warning"
    case .result: "result"
    case .yielded: "yielded"
    case .end: "end"
    }
  }
}

extension MetricLine {
  private static let otherKeys: Set<ByteString> = ["event", "step", "epoch", "time"]

  /// Reads the members of a line; `nil`: it lacks its place.
  fileprivate init?(_ members: [ByteString: JSON]) {
    guard let step = members["step"]?.int, let epoch = members["epoch"]?.int else { return nil }
    let values = members.filter { !Self.otherKeys.contains($0.key) }.sorted { $0.key < $1.key }
    self.init(
      step: step, epoch: epoch, values: values.map { Value($0.key.string, $0.value.double ?? .nan) })
  }
}

extension CheckpointManifest {
  /// Members in the order of the stream's lines.
  fileprivate var members: [(String, JSON)] {
    [
      ("name", .string(name)), ("step", .integer(step)), ("epoch", .integer(epoch)),
      ("bytes", .integer(bytes)),
      ("sha256", .string(sha256)),
    ] + (metric.map { [("metric", .number($0))] } ?? [])
  }

  /// The manifest as an object.
  package var json: JSON { .object(Dictionary(uniqueKeysWithValues: members)) }

  /// Reads a manifest or a `checkpoint` event; `nil` if a member is missing, a number is outside its
  /// `RecordedRange`, or the digest is not one.
  package init?(json: JSON) {
    guard let name = json["name"]?.string?.string, let step = json["step"]?.int(in: RecordedRange.steps),
      let epoch = json["epoch"]?.int(in: RecordedRange.epochs),
      let bytes = json["bytes"]?.int(in: RecordedRange.bytes), let sha256 = json["sha256"]?.string?.string,
      CheckpointManifest.isDigest(sha256)
    else { return nil }
    self.init(
      name: name, step: step, epoch: epoch, bytes: bytes, sha256: sha256, metric: json["metric"]?.double)
  }
  /// Whether a text is a SHA-256 in hexadecimal: 64 lower-case digits.
  static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      }
  }
}
