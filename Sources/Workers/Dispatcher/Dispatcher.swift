import JobModel
import JobStore
import Logging
import Platform
import RunFolder
import Synchronization

/// The parent of the workers: claims queued jobs, starts a process for each, follows its events into the
/// store, and settles the job when the process has gone.
///
/// One thread owns everything; others send it messages. It sleeps while no job runs.
package final class Dispatcher: Sendable {
  /// What other threads have to tell.
  enum Message: Sendable {
    /// Something in the store has changed: a new job, a cancel.
    case look
    /// A child has been reaped.
    case gone(JobID, attempt: Int, how: String)
    case stop
  }

  private let configuration: DispatcherConfiguration
  private let store: JobStore
  private let inbox = Inbox<Message>()
  private let thread = Mutex<Thread?>(nil)

  private let bootID: String

  /// - Parameter bootID: names this life of the daemon, unlike any other.
  package init(_ configuration: DispatcherConfiguration, store: JobStore, bootID: String) {
    self.configuration = configuration
    self.store = store
    self.bootID = bootID
  }

  /// Settles the jobs of earlier daemons: adopts live workers, queues the jobs of dead ones again; then
  /// starts to claim. The caller holds the lock of the data folder.
  package func start() throws {
    var loop = DispatchLoop(configuration, store: store, inbox: inbox, bootID: bootID)
    try loop.settleEarlierRuns()
    let thread = try Thread(name: "dispatcher") { [loop] in
      var loop = loop
      loop.run()
    }
    self.thread.withLock { $0 = thread }
  }

  /// Looks into the store soon: something was queued or cancelled.
  package func wake() { inbox.send(.look) }

  /// Has every worker write a checkpoint and leave, kills those that take too long, and returns when all are
  /// gone.
  package func stop() {
    inbox.send(.stop)
    thread.withLock { $0.take() }?.join()
  }
}
