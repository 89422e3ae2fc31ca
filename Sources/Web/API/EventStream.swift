import HTTP
import JobStore
import Platform
import Synchronization

/// What one client is told of a subject: first from the database what it has missed, then from the hub what
/// comes, in one order and each thing once.
///
/// It follows the hub before it reads the database, so nothing falls in between; what comes by both ways is
/// known by its number.
final class EventStream: BodyStream {
  /// How the client wants it.
  enum Format: Sendable {
    /// The recorded lines from a step on, one per line.
    case lines(fromStep: Int)
    /// Server-Sent Events.
    case events
  }

  private struct Place {
    /// Numbered items up to here have been sent.
    var position: Int
    var subscription: EventHub.Subscription?
    /// Whether it has to follow the hub, at first or again, and to greet the client.
    var mustBegin = true
    /// The hub's next item; nil as long as the database is read.
    var serial: Int?
    var hasEnded = false
    /// When a client that has heard nothing is sent a comment, in monotonic nanoseconds.
    var pingAt: UInt64 = 0
  }

  private let hub: EventHub
  private let store: JobStore
  private let subject: EventHub.Subject
  private let format: Format
  private let follows: Bool
  private let greeting: @Sendable () throws -> [UInt8]
  /// When the stream ends, whatever may still come, in monotonic nanoseconds.
  private let endsAt: UInt64
  private let place: Mutex<Place>
  private let wake = Mutex<@Sendable () -> Void>({})

  /// Items that are read from the database at once.
  private static let itemsMax = 500
  /// A comment is sent when there has been nothing for this time.
  private static let pingNanoseconds: UInt64 = 15_000_000_000

  /// - Parameters:
  ///   - position: the last number that the client has.
  ///   - follows: whether to go on with what comes.
  ///   - seconds: how long it lasts at most; 0: as long as there is something to come.
  ///   - greeting: makes what is sent first, and again when so much was missed that it comes from the
  ///     database.
  init(
    _ subject: EventHub.Subject, _ format: Format, after position: Int, follows: Bool = true,
    seconds: Int = 0,
    hub: EventHub, store: JobStore, greeting: @escaping @Sendable () throws -> [UInt8] = { [] }
  ) {
    self.hub = hub
    self.store = store
    self.subject = subject
    self.format = format
    self.follows = follows
    self.greeting = greeting
    endsAt = seconds > 0 ? SystemClock.monotonicNanoseconds + UInt64(seconds) * 1_000_000_000 : .max
    place = Mutex(Place(position: position))
  }

  func attach(wake: @escaping @Sendable () -> Void) { self.wake.withLock { $0 = wake } }

  func ready() -> BodyStep? {
    place.withLock { place in
      if place.hasEnded { return .end }
      guard let subscription = place.subscription, let serial = place.serial else { return nil }
      guard let (items, next) = hub.items(subscription, from: serial) else {
        (place.serial, place.mustBegin) = (nil, true)
        return nil
      }
      place.serial = next
      let now = SystemClock.monotonicNanoseconds
      let bytes = take(items, &place)
      if !bytes.isEmpty {
        place.pingAt = now + EventStream.pingNanoseconds
        return .bytes(bytes)
      }
      if place.hasEnded || now >= endsAt { return .end }
      if now >= place.pingAt {
        place.pingAt = now + EventStream.pingNanoseconds
        if case .events = format { return .bytes(ServerSentEvent.ping) }
      }
      return .idle(milliseconds: Int((min(place.pingAt, endsAt) - now) / 1_000_000) + 1)
    }
  }

  func next() throws -> BodyStep {
    switch ready() {
    case nil, .idle?: break
    case let step?: return step
    }
    if let bytes = try begin(), !bytes.isEmpty { return .bytes(bytes) }
    let position = place.withLock { $0.position }
    let (items, through) = try read(after: position)
    let step: BodyStep? = place.withLock { place in
      let bytes = take(items, &place)
      place.position = max(place.position, through)
      if !bytes.isEmpty { return .bytes(bytes) }
      if place.hasEnded || through == position && !follows { return .end }
      // Nothing is left to read: from here on the hub has everything.
      if through == position { place.serial = place.serial ?? place.subscription?.serial }
      return nil
    }
    return step ?? ready() ?? .idle(milliseconds: 1)
  }

  func close() {
    if let subscription = place.withLock({ $0.subscription }) { hub.unfollow(subscription) }
  }

  /// Follows the hub and gives what stands before everything else; nil if that is done.
  private func begin() throws -> [UInt8]? {
    guard follows, place.withLock({ $0.mustBegin }) else { return nil }
    let new = try hub.follow(subject, wake: wake.withLock { $0 })
    let old = place.withLock { place in
      defer {
        (place.subscription, place.mustBegin) = (new, false)
        place.pingAt = SystemClock.monotonicNanoseconds + EventStream.pingNanoseconds
      }
      return place.subscription
    }
    if let old { hub.unfollow(old) }
    return try greeting()
  }

  private func read(after position: Int) throws -> (items: [EventItem], through: Int) {
    switch (subject, format) {
    case (.job(let id), .lines(let step)):
      let lines = try store.lines(id, after: position, fromStep: step, limit: Self.itemsMax)
      // A job that was deleted while it was followed tells nothing more.
      if lines.isEmpty, try store.job(id) == nil { place.withLock { $0.hasEnded = true } }
      return (lines.map(EventItem.init), lines.last?.sequence ?? position)
    case (.job(let id), .events):
      let lines = try store.lines(id, after: position, withTransitions: true, limit: Self.itemsMax)
      if lines.isEmpty, try store.job(id) == nil { place.withLock { $0.hasEnded = true } }
      return (lines.map(EventItem.init), lines.last?.sequence ?? position)
    case (.sweep(let id), _):
      let (entries, through) = try store.feed(after: position, limit: Self.itemsMax)
      let own = entries.filter { $0.job == id && $0.change.isOfSweep }
      return (try own.compactMap { try EventItem.ofSweep($0, store) }, through)
    case (.everything, _):
      let (entries, through) = try store.feed(after: position, limit: Self.itemsMax)
      let moment = JobMoment(store)
      let items = try entries.compactMap { entry in
        if entry.change.isOfSweep { return try EventItem.ofSweep(entry, store)?.ongoing }
        return EventItem.ofAll(entry, entry.change == .job ? try store.job(entry.job) : nil, at: moment)
      }
      return (items, through)
    }
  }

  /// The bytes of items that the client does not have; moves its place.
  private func take(_ items: [EventItem], _ place: inout Place) -> [UInt8] {
    var pieces: [[UInt8]] = []
    for item in items where !place.hasEnded && (item.position ?? .max) > place.position {
      place.position = item.position ?? place.position
      place.hasEnded = item.isLast
      switch format {
      case .events: pieces.append(item.event)
      case .lines(let fromStep):
        if !item.line.isEmpty, item.step ?? .max >= fromStep { pieces.append(item.line) }
      }
    }
    // What all followers are sent at once is one array that they share.
    return pieces.count == 1 ? pieces[0] : Array(pieces.joined())
  }
}
