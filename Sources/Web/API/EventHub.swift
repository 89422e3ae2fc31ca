import JobStore
import Logging
import Platform
import Recipe
import Synchronization

/// Follows the store's feed on a thread of its own and passes each change to everybody who follows it. A line
/// is read and serialised once, however many clients follow the job.
///
/// As long as nobody follows anything, it reads nothing.
package final class EventHub: Sendable {
  /// What is followed.
  enum Subject: Hashable, Sendable {
    case job(JobID)
    /// A sweep and its trials.
    case sweep(JobID)
    case everything
  }

  private struct State {
    var topics: [Subject: EventTopic] = [:]
    /// The feed is passed on up to here, as far as there are topics.
    var position = 0
    var lastFollower = 0
    var isPoked = false
    var isStopping = false
    /// Failures to read the feed in a row.
    var failures = 0
  }

  private let store: JobStore
  private let state = Mutex(State())
  private let monitor = Monitor()
  private let thread = Mutex<Thread?>(nil)

  /// Changes that are read at once.
  private static let entriesMax = 1_000
  /// Followers are woken no more often than this; what comes in between is sent together.
  private static let gatheringMilliseconds = 20
  /// How often that pause is doubled while the feed cannot be read.
  private static let doublingsMax = 8

  /// Starts the thread, which holds the hub until `stop`.
  package init(store: JobStore) throws(SystemError) {
    self.store = store
    store.observe { [weak self] in self?.poke() }
    let thread = try Thread(name: "event-hub", stackBytes: 512 << 10) { [self] in
      while round() {}
    }
    self.thread.withLock { $0 = thread }
  }

  /// Ends the thread; followers hear nothing more.
  package func stop() {
    monitor.signal { state.withLock { $0.isStopping = true } }
    let thread = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    thread?.join()
  }

  /// Begins to follow. From then on `wake` is called when something new is there.
  ///
  /// - Throws: `SQLiteError`.
  func follow(_ subject: Subject, wake: @escaping @Sendable () -> Void) throws -> Subscription {
    // Read before the topic is made: what is committed after that reaches the topic by the feed.
    let last = try store.feedBounds().last
    // A commit since then had nobody to tell of it.
    defer { monitor.signal() }
    return state.withLock { state in
      state.isPoked = true
      if state.topics.isEmpty { state.position = last }
      var topic = state.topics[subject] ?? EventTopic()
      state.lastFollower += 1
      topic.followers[state.lastFollower] = wake
      state.topics[subject] = topic
      return Subscription(subject: subject, follower: state.lastFollower, serial: topic.nextSerial)
    }
  }

  /// Ends to follow.
  func unfollow(_ subscription: Subscription) {
    state.withLock { state in
      let subject = subscription.subject
      state.topics[subject]?.followers[subscription.follower] = nil
      if state.topics[subject]?.followers.isEmpty == true { state.topics[subject] = nil }
    }
  }

  /// One follower's place in a topic.
  struct Subscription: Sendable {
    let subject: Subject
    let follower: Int
    /// The first item that came after it began.
    let serial: Int
  }

  /// What came from a serial on, and the serial behind it; nil if some of that is no longer in memory.
  func items(_ subscription: Subscription, from serial: Int) -> (items: [EventItem], next: Int)? {
    state.withLock { $0.topics[subscription.subject]?.items(from: serial) }
  }

  private func poke() {
    let isNew = state.withLock { state in
      defer { state.isPoked = true }
      return !state.isPoked && !state.topics.isEmpty
    }
    if isNew { monitor.signal() }
  }

  /// Waits for a commit and passes on what it brought; false when the hub stops.
  private func round() -> Bool {
    monitor.wait { state.withLock { ($0.isPoked && !$0.topics.isEmpty) || $0.isStopping } }
    let (position, isStopping) = state.withLock { state in
      state.isPoked = false
      return (state.position, state.isStopping)
    }
    if isStopping { return false }
    do {
      let (entries, through) = try store.feed(after: position, limit: Self.entriesMax)
      try pass(entries, through: through)
      if entries.count == Self.entriesMax { poke() }
      state.withLock { $0.failures = 0 }
    } catch {
      fail(error)
    }
    SystemClock.sleep(milliseconds: pauseMilliseconds)
    return true
  }

  /// The feed is read again from the same place after a pause, which grows.
  private func fail(_ error: any Error) {
    let failures = state.withLock { state in
      state.failures += 1
      state.isPoked = true
      return state.failures
    }
    if failures & (failures - 1) == 0 { Log("events").error("\(error); failure \(failures) in a row") }
  }

  private var pauseMilliseconds: Int {
    Self.gatheringMilliseconds << min(state.withLock { $0.failures }, Self.doublingsMax)
  }

  private func pass(_ entries: [FeedEntry], through: Int) throws {
    let followed = state.withLock { Set($0.topics.keys) }
    let wantsAll = followed.contains(.everything)
    let moment = JobMoment(store)
    var items: [(Subject, EventItem)] = []
    for entry in entries {
      let isFollowed = followed.contains(entry.change.isOfSweep ? .sweep(entry.job) : .job(entry.job))
      guard wantsAll || isFollowed else { continue }
      if entry.change.isOfSweep {
        guard let item = try EventItem.ofSweep(entry, store) else { continue }
        if isFollowed { items.append((.sweep(entry.job), item)) }
        if wantsAll { items.append((.everything, item.ongoing)) }
        continue
      }
      let record = entry.change == .job ? try store.job(entry.job) : nil
      if isFollowed, let item = EventItem.ofJob(entry, record, at: moment) {
        items.append((.job(entry.job), item))
      }
      if wantsAll, let item = EventItem.ofAll(entry, record, at: moment) {
        items.append((.everything, item))
      }
    }
    let wakes = state.withLock { state in
      state.position = through
      for (subject, item) in items { state.topics[subject]?.append(item) }
      return Set(items.map(\.0)).flatMap { state.topics[$0].map { Array($0.followers.values) } ?? [] }
    }
    for wake in wakes { wake() }
  }
}
