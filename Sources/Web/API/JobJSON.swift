import HTTP
import JobModel
import JobStore
import Platform
import Text

extension JobRecord {
  /// The job as clients see it, in the order in which people read it. Made from the record alone, so the
  /// record's revision tags it; what is JSON in the record goes in as it is.
  var jsonText: String { jsonText(of: nil) }

  /// The members that a job has, except `result` of a training.
  static let memberNames: [ByteString] = OpenAPIDocument.jobProperties.keys.sorted()

  /// Some members of the job, or all of them.
  func jsonText(of fields: Set<ByteString>?) -> String {
    var text = ""
    if fields == nil {
      text.reserveCapacity(specificationText.utf8.count + (latest?.utf8.count ?? 0) + Self.frameBytes)
    }
    func add(_ name: String, _ json: @autoclosure () -> String) {
      if let fields, !fields.contains(ByteString(name)) { return }
      text += text.isEmpty ? "{\"" : ",\""
      text += name
      text += "\":"
      text += json()
    }
    add("id", "\"\(id)\"")
    add("kind", "\"\(kind.rawValue)\"")
    add("name", JSON.optional(labelling.name).text)
    add("labels", JSON.object(labelling.labels.mapValues { .string($0) }).text)
    add("notes", JSON.optional(labelling.notes).text)
    add("priority", String(labelling.priority))
    add("state", Self.json(state.rawValue))
    add("reason", Self.json(reason?.rawValue))
    add("message", Self.json(message))
    add("health", health.json.text)
    add("attempt", String(attempt))
    add("created_at", Self.time(createdAtMilliseconds))
    add("started_at", Self.time(startedAtMilliseconds))
    add("finished_at", Self.time(finishedAtMilliseconds))
    add("needs", needsText)
    for (name, value) in policy.json { add(name, value.text) }
    add("failures", String(failures))
    add("progress", progress)
    add("latest", latest ?? "null")
    add("summary", summary ?? "null")
    if kind == .evaluate { add("result", result ?? "null") }
    add("spec", specificationText)
    return text.isEmpty ? "{}" : text + "}"
  }

  /// What the rest takes beside the texts that are long, about.
  private static let frameBytes = 1_024

  /// Changes whenever `jsonText` does.
  var entityTag: EntityTag { Self.entityTag(id, revision: revision) }

  /// The tag of a job's revision.
  static func entityTag(_ id: JobID, revision: Int) -> EntityTag { EntityTag("\(id)-\(revision)") }

  private static func json(_ text: String?) -> String { JSON.optional(text).text }

  private static func time(_ milliseconds: Int?) -> String {
    milliseconds.map { "\"\(SystemClock.rfc3339(unixMilliseconds: $0))\"" } ?? "null"
  }

  /// How far it is, from the last metric line. Numbers that are not known yet are `null`.
  private var progress: String {
    // Both texts were JSON when they were stored; a damaged one costs the progress, not the answer.
    let known = latest.flatMap { try? JSON.members(["epoch", "images_per_second", "step"], of: $0) }
    let line = known ?? [:]
    let names: [ByteString] = ["epochs", "max_steps", "batch_size"]
    let specification = (try? JSON.members(names, of: specificationText)) ?? [:]
    let epochs = specification["epochs"]?.int
    let isComplete = state == .succeeded && specification["max_steps"]?.int == nil
    let step = line["step"]?.int(in: RecordedRange.steps) ?? 0
    let imagesPerSecond = line["images_per_second"]?.double
    var secondsLeft: Double?
    if state == .running, let steps, let imagesPerSecond, imagesPerSecond > 0,
      let batchSize = specification["batch_size"]?.int
    {
      secondsLeft = (Double(max(0, steps - step)) * Double(batchSize) / imagesPerSecond).rounded()
    }
    func text(_ value: Int?) -> String { value.map(String.init) ?? "null" }
    func text(_ value: Double?) -> String { value.map { JSON.number($0).text } ?? "null" }
    let epoch = isComplete ? epochs : line["epoch"]?.int(in: RecordedRange.epochs) ?? 0
    return """
      {"epoch":\(text(epoch)),"epochs":\(text(epochs)),"images_per_second":\(text(imagesPerSecond)),\
      "seconds_left":\(text(secondsLeft)),"step":\(step),"steps":\(text(steps))}
      """
  }
}
