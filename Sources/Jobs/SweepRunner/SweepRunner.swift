import JobStore
import Logging
import Platform
import Synchronization

/// Has sweeps go on, on a thread of its own: it looks at them when the store has changed.
package final class SweepRunner: Sendable {
  private enum Message: Sendable { case look, stop }

  private let store: JobStore
  private let loop: SweepLoop
  /// Tells the dispatcher that jobs were queued.
  private let queued: @Sendable () -> Void
  private let inbox = Inbox<Message>()
  private let isPoked = Mutex(false)
  private let thread = Mutex<Thread?>(nil)

  /// The store is looked at no more often than this.
  private static let gatheringMilliseconds = 5
  /// After a look that failed; doubled with each in a row.
  private static let retryMilliseconds = 250
  private static let doublingsMax = 6
  /// A longer time is slept in parts.
  private static let patienceMillisecondsMax = 60_000

  package init(store: JobStore, source: any TrialSource, queued: @escaping @Sendable () -> Void) {
    self.store = store
    self.queued = queued
    loop = SweepLoop(store: store, source: source)
    store.observe { [weak self] in self?.poke() }
  }

  /// Starts the thread, which first goes on with what an earlier daemon has left.
  package func start() throws(SystemError) {
    let thread = try Thread(name: "sweeps") { [self] in run() }
    self.thread.withLock { $0 = thread }
  }

  /// Ends the thread; what it is about to do is done first.
  package func stop() {
    inbox.send(.stop)
    thread.withLock { $0.take() }?.join()
  }

  private func poke() {
    let isNew = isPoked.withLock { isPoked in
      defer { isPoked = true }
      return !isPoked
    }
    if isNew { inbox.send(.look) }
  }

  private func run() {
    var failures = 0
    var patience: Int? = 0
    while true {
      let messages = inbox.receive(timeoutMilliseconds: patience)
      if messages.contains(.stop) { return }
      isPoked.withLock { $0 = false }
      let outcome = loop.turn()
      if outcome.hasQueued { queued() }
      if let failure = outcome.failure {
        if failures & (failures - 1) == 0 {
          Log("sweeps").error("\(failure); failure \(failures + 1) in a row")
        }
        patience = Self.retryMilliseconds << min(failures, Self.doublingsMax)
        failures += 1
      } else {
        failures = 0
        // A store that cannot be read is looked at again soon enough by the commit that comes next.
        patience = outcome.isMore ? 0 : (try? store.millisecondsToSweepEnd()) ?? nil
      }
      patience = patience.map { min($0, Self.patienceMillisecondsMax) }
      SystemClock.sleep(milliseconds: Self.gatheringMilliseconds)
    }
  }
}
