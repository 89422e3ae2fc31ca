import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import Text

extension JobRecord {
  /// The job as clients see it, in the order in which people read it. What is JSON in the record goes in
  /// unchanged.
  ///
  /// The record's revision tags it: of a job that has not finished, time alone changes `running_seconds`,
  /// `seconds_left`, `starts_at`, `finish_at` and `estimate.seconds`, and the tag says that nothing else has
  /// changed.
  func jsonText(at moment: JobMoment) -> String { jsonText(of: nil, at: moment) }

  /// The members that a job has, except `result` of a training.
  static let memberNames: [ByteString] = OpenAPIDocument.jobProperties.keys.sorted()

  /// Some members of the job, or all of them.
  func jsonText(of fields: Set<ByteString>?, at moment: JobMoment) -> String {
    var text: [UInt8] = []
    if fields == nil {
      let long = [specificationText, latest ?? "", artifactsText]
      text.reserveCapacity(long.reduce(Self.frameBytes) { $0 + $1.utf8.count })
    }
    func begins(_ name: String) -> Bool {
      if let fields, !fields.contains(ByteString(name)) { return false }
      text += (text.isEmpty ? "{\"" : ",\"").utf8
      text += name.utf8
      text += "\":".utf8
      return true
    }
    func add(_ name: String, _ json: @autoclosure () -> JSON) { if begins(name) { json().write(to: &text) } }
    func add(_ name: String, text json: @autoclosure () -> String) { if begins(name) { text += json().utf8 } }
    add("id", .string(id.text))
    add("kind", .string(kind.rawValue))
    add("method", .optional(methodName.map { ByteString($0) }))
    add("dataset", .optional(datasetName.map { ByteString($0) }))
    add("name", .optional(labelling.name))
    add("labels", .object(labelling.labels.mapValues { .string($0) }))
    add("notes", .optional(labelling.notes))
    add("priority", .integer(labelling.priority))
    add("state", .string(state.rawValue))
    add("reason", .optional(reason?.rawValue))
    add("message", .optional(message))
    add("health", health.json)
    add("estimate", cost.estimate(seconds: estimatedSeconds(by: moment.rates)))
    add("attempt", .integer(attempt))
    add("created_at", text: Self.time(createdAtMilliseconds))
    add("starts_at", text: Self.time(state == .queued ? moment.start(of: self) : nil))
    add("started_at", text: Self.time(startedAtMilliseconds))
    add("finished_at", text: Self.time(finishedAtMilliseconds))
    add("running_seconds", .number(Double(runningMilliseconds(at: moment.milliseconds)) / 1000))
    add("needs", text: needsText)
    add("sweep", place.map { ["id": .string($0.sweep.text), "trial": .integer($0.trial)] } ?? .null)
    for (name, value) in policy.json { add(name, value) }
    add("failures", .integer(failures))
    add("progress", text: progress(at: moment))
    add("top1", .optional(top1))
    add("latest", text: latest ?? "null")
    add("summary", text: summary ?? "null")
    if let evaluationsText { add("evaluations", text: evaluationsText) }
    if kind.traits.hasResult { add("result", text: result ?? "null") }
    add("artifacts", text: artifactsText)
    add("host", text: hostText ?? "null")
    add("spec", text: specificationText)
    return text.isEmpty ? "{}" : String(decoding: text, as: UTF8.self) + "}"
  }

  /// What the rest takes beside the texts that are long, about.
  private static let frameBytes = 1_024

  /// Changes whenever the record does.
  var entityTag: EntityTag { Self.entityTag(id, revision: revision) }

  /// The tag of a job's revision.
  static func entityTag(_ id: JobID, revision: Int) -> EntityTag { EntityTag("\(id)-\(revision)") }

  private static func time(_ milliseconds: Int?) -> String {
    milliseconds.map { "\"\(SystemClock.rfc3339(unixMilliseconds: $0))\"" } ?? "null"
  }

  /// How far it is. Numbers that are not known yet are `null`.
  private func progress(at moment: JobMoment) -> String {
    // The text was JSON when it was stored; a damaged one costs the progress, not the answer.
    let line = latest.flatMap { try? JSON.members(["epoch", "step"], of: $0) } ?? [:]
    let epochs = cost.epochs
    let epoch = state == .succeeded ? epochs : epochs.map { min($0, line["epoch"]?.int(in: 0...$0) ?? 0) }
    var imagesPerSecond: Double?
    if let stepsPerSecond = pace?.stepsPerSecond, let images = cost.stepImages {
      imagesPerSecond = stepsPerSecond * Double(images)
    }
    let finish = finishMilliseconds(at: moment.milliseconds, by: moment.rates).map {
      max($0, moment.milliseconds)
    }
    let secondsLeft = finish.map { (Double($0 - moment.milliseconds) / 1000).rounded() }
    func text(_ value: Int?) -> String { value.map(String.init) ?? "null" }
    func text(_ value: Double?) -> String { value.map { JSON.number($0).text } ?? "null" }
    return """
      {"epoch":\(text(epoch)),"epochs":\(text(epochs)),"finish_at":\(Self.time(finish)),\
      "images_per_second":\(text(imagesPerSecond)),"seconds_left":\(text(secondsLeft)),\
      "step":\(line["step"]?.int(in: RecordedRange.steps) ?? 0),"steps":\(text(steps))}
      """
  }
}

extension JobCost {
  /// As clients see it; what is unknown is `null`.
  func estimate(seconds: Double?) -> JSON {
    [
      "seconds": seconds.map { .number(($0 * 10).rounded() / 10) } ?? .null,
      "memory_bytes": .optional(memoryBytes), "disk_bytes": .optional(diskBytes),
    ]
  }
}

/// What an answer about jobs depends on besides their records.
struct JobMoment: Sendable {
  /// The time now, in Unix time.
  let milliseconds: Int
  /// How fast this machine does work.
  let rates: MeasuredRates
  private let store: JobStore

  /// A store that cannot be read costs the estimates, not the answers.
  init(_ store: JobStore) {
    self.store = store
    milliseconds = store.clock()
    rates = (try? store.measuredRates()) ?? MeasuredRates()
  }

  /// How long a job of that cost takes on this machine; `nil`: it never did such work.
  func seconds(for cost: JobCost) -> Double? { cost.work.flatMap { rates.seconds(for: $0) } }

  /// When a queued job will begin, in Unix time; `nil`: that cannot be told.
  func start(of job: JobRecord) -> Int? {
    // As above.
    (try? store.forecast(at: milliseconds))?.start(of: job)
  }
}
