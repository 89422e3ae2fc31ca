import HTTP
import JobModel
import JobStore
import Platform

extension JobRecord {
  /// The job as clients see it, in the order in which people read it. Made from the record alone, so the
  /// record's revision tags it; what is JSON in the record goes in as it is.
  var jsonText: String {
    var members = [
      member("id", .string(id.text)), member("kind", .string(kind.rawValue)),
      member("name", .optional(labelling.name)),
      member("labels", .object(labelling.labels.mapValues(JSON.string))),
      member("notes", .optional(labelling.notes)), member("priority", .integer(labelling.priority)),
      member("state", .string(state.rawValue)), member("reason", .optional(reason?.rawValue)),
      member("message", .optional(message)), member("attempt", .integer(attempt)),
      member("created_at", time(createdAtMilliseconds)), member("started_at", time(startedAtMilliseconds)),
      member("finished_at", time(finishedAtMilliseconds)),
    ]
    members.append("\"needs\":\(needsText)")
    members += policy.json.map { member($0.0, $0.1) }
    members += [
      member("failures", .integer(failures)),
      "\"progress\":\(progress.text)", "\"latest\":\(latest ?? "null")",
    ]
    if kind == .evaluate { members.append("\"result\":\(result ?? "null")") }
    members.append("\"spec\":\(specificationText)")
    return "{\(members.joined(separator: ","))}"
  }

  /// Changes whenever `jsonText` does.
  var entityTag: EntityTag { Self.entityTag(id, revision: revision) }

  /// The tag of a job's revision.
  static func entityTag(_ id: JobID, revision: Int) -> EntityTag { EntityTag("\(id)-\(revision)") }

  private func member(_ name: String, _ value: JSON) -> String { "\"\(name)\":\(value.text)" }

  private func time(_ milliseconds: Int?) -> JSON {
    .optional(milliseconds.map { SystemClock.rfc3339(unixMilliseconds: $0) })
  }

  /// How far it is, from the last metric line. Numbers that are not known yet are `null`.
  private var progress: JSON {
    // Both texts were JSON when they were stored; a damaged one costs the progress, not the answer.
    let line = latest.flatMap { try? JSON.parse($0) } ?? [:]
    let names = ["epochs", "max_steps", "batch_size"]
    let specification = (try? JSON.members(names, of: specificationText)) ?? [:]
    let epochs = specification["epochs"]?.int
    let isComplete = state == .succeeded && specification["max_steps"]?.int == nil
    let step = line["step"]?.int ?? 0
    let imagesPerSecond = line["images_per_second"]?.double
    var secondsLeft: Double?
    if state == .running, let steps, let imagesPerSecond, imagesPerSecond > 0,
      let batchSize = specification["batch_size"]?.int
    {
      secondsLeft = (Double(max(0, steps - step) * batchSize) / imagesPerSecond).rounded()
    }
    return [
      "epoch": .optional(isComplete ? epochs : line["epoch"]?.int ?? 0), "epochs": .optional(epochs),
      "step": .integer(step), "steps": .optional(steps),
      "images_per_second": imagesPerSecond.map(JSON.number) ?? .null,
      "seconds_left": secondsLeft.map(JSON.number) ?? .null,
    ]
  }
}
