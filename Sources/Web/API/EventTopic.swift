import HTTP
import JobStore

/// The newest items of what is followed, and who follows it.
struct EventTopic: Sendable {
  private var recent: [EventItem] = []
  /// The serial of the first of `recent`.
  private var firstSerial = 0
  /// What wakes each follower.
  var followers: [Int: @Sendable () -> Void] = [:]

  /// Items that are kept for followers who are a little behind; who is more so reads the database.
  private static let itemsMax = 2_000

  /// The serial of the item that comes next.
  var nextSerial: Int { firstSerial + recent.count }

  /// Adds an item.
  mutating func append(_ item: EventItem) {
    recent.append(item)
    guard recent.count > EventTopic.itemsMax else { return }
    // Half at once, so that it costs little on the whole.
    recent.removeFirst(EventTopic.itemsMax / 2)
    firstSerial += EventTopic.itemsMax / 2
  }

  /// The items from a serial on and the serial behind them; nil if some are gone.
  func items(from serial: Int) -> (items: [EventItem], next: Int)? {
    serial < firstSerial ? nil : (Array(recent.dropFirst(serial - firstSerial)), nextSerial)
  }
}

/// One thing that followers are told, serialised once for all of them.
struct EventItem: Sendable {
  /// Its number, which a client resumes from: the sequence of a job's line, or of a change in the feed. nil:
  /// it is not numbered, and says how things are at the moment.
  let position: Int?
  /// The step that it tells of.
  let step: Int?
  /// Whether nothing follows it.
  let isLast: Bool
  /// As a line of a job's stream; empty for what the run itself has not told.
  let line: [UInt8]
  /// As a Server-Sent Event.
  let event: [UInt8]

  /// What a follower of the job is told.
  static func ofJob(_ entry: FeedEntry, _ record: JobRecord?, at moment: JobMoment) -> EventItem? {
    switch entry.change {
    case .line(let line): return EventItem(line)
    case .job: return record.map { EventItem(state: $0, at: moment) }
    case .deleted:
      return EventItem(
        position: nil, step: nil, isLast: true, line: [],
        event: ServerSentEvent(name: "deleted", data: "{\"job\":\"\(entry.job)\"}").bytes)
    case .sweep, .trial, .sweepDeleted: return nil
    }
  }

  /// What a follower of everything is told.
  static func ofAll(_ entry: FeedEntry, _ record: JobRecord?, at moment: JobMoment) -> EventItem? {
    let job = "\"job\":\"\(entry.job)\""
    let event: ServerSentEvent
    switch entry.change {
    case .line(let line):
      let name = ServerSentEvent.name(of: line.event)
      event = ServerSentEvent(
        name: name, data: "{\(job),\"sequence\":\(line.sequence),\"line\":\(line.line)}")
    case .job:
      guard let record else { return nil }
      event = ServerSentEvent(name: "state", data: record.jsonText(at: moment))
    case .deleted: event = ServerSentEvent(name: "deleted", data: "{\(job)}")
    case .sweep, .trial, .sweepDeleted: return nil
    }
    return EventItem(
      position: entry.id, step: nil, isLast: false, line: [], event: event.bytes(id: entry.id))
  }

  /// A line of a job.
  init(_ line: EventLine) {
    let event = ServerSentEvent(name: ServerSentEvent.name(of: line.event), data: line.line)
    let isOfRun = line.event != EventLine.transition
    self.init(
      position: line.sequence, step: line.step, isLast: line.event == "end",
      line: isOfRun ? Array("\(line.line)\n".utf8) : [], event: event.bytes(id: line.sequence))
  }

  /// How a job is at the moment.
  init(state record: JobRecord, at moment: JobMoment) {
    self.init(
      position: nil, step: nil, isLast: false, line: [],
      event: ServerSentEvent(name: "state", data: record.jsonText(at: moment)).bytes)
  }

  /// The same without being the last one.
  var ongoing: EventItem {
    EventItem(position: position, step: step, isLast: false, line: line, event: event)
  }

  init(position: Int?, step: Int?, isLast: Bool, line: [UInt8], event: [UInt8]) {
    self.position = position
    self.step = step
    self.isLast = isLast
    self.line = line
    self.event = event
  }
}
