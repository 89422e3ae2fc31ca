import HTTP
import JSONText
import JobStore
import Recipe

extension FeedEntry.Change {
  /// Whether it is a change of a sweep or a trial.
  var isOfSweep: Bool {
    switch self {
    case .sweep, .trial, .sweepDeleted: true
    case .line, .job, .deleted: false
    }
  }
}

extension EventItem {
  /// What a follower of a sweep is told of a change; nil: it is gone by now.
  static func ofSweep(_ entry: FeedEntry, _ store: JobStore) throws -> EventItem? {
    let id = entry.job
    var isLast = false
    let bytes: [UInt8]
    switch entry.change {
    case .trial(let number):
      guard let standing = try store.standing(ofSweep: id, trial: number), let trial = standing.views.first
      else { return nil }
      bytes = event(trial, of: id).bytes(id: entry.id)
    case .sweep:
      guard let standing = try store.standing(ofSweep: id) else { return nil }
      isLast = standing.record.state.isFinished
      bytes = event(standing).bytes(id: entry.id) + (isLast ? end(standing.record).bytes(id: entry.id) : [])
    case .sweepDeleted:
      isLast = true
      bytes = ServerSentEvent(name: "sweep_deleted", data: "{\"sweep\":\"\(id)\"}").bytes(id: entry.id)
    case .line, .job, .deleted: return nil
    }
    return EventItem(position: entry.id, step: nil, isLast: isLast, line: [], event: bytes)
  }

  /// A sweep as it is at the moment, with its trials if they are wanted.
  static func greeting(_ standing: SweepStanding, withTrials: Bool) -> [UInt8] {
    let id = standing.record.id
    var bytes = event(standing).bytes
    if withTrials { for trial in standing.views { bytes += event(trial, of: id).bytes } }
    if standing.record.state.isFinished { bytes += end(standing.record).bytes }
    return bytes
  }

  private static func event(_ standing: SweepStanding) -> ServerSentEvent {
    ServerSentEvent(name: "sweep", data: JSON.object(SweepFinding(standing).members(standing.record)).text)
  }

  private static func event(_ trial: TrialView, of sweep: JobID) -> ServerSentEvent {
    let data: JSON = ["sweep": .string(sweep.text), "trial": trial.json]
    return ServerSentEvent(name: "trial", data: data.text)
  }

  private static func end(_ record: SweepRecord) -> ServerSentEvent {
    let data: JSON = [
      "event": "end", "state": .string(record.state.rawValue), "reason": .optional(record.reason),
      "message": .optional(record.message),
    ]
    return ServerSentEvent(name: "end", data: data.text)
  }
}
