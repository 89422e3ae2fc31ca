import JobStore
import Logging
import Platform
import Recipe
import RunFolder
import Synchronization

/// The parent of the workers: claims queued jobs, starts a process for each, follows its events into the
/// store, and settles the job when the process has gone.
///
/// One thread owns everything; others send it messages. It sleeps while no job runs.
package final class Dispatcher: Sendable {
  private let configuration: DispatcherConfiguration
  private let store: JobStore
  private let inbox = Inbox<DispatchLoop.Message>()
  private let thread = Mutex<Thread?>(nil)
  private let host: ProcessHost
  private let bootID: String
  private let pins: CheckpointPins
  private let launches = LaunchState()

  /// The store is looked at no more often than this, however many requests change it.
  private static let gatheringMilliseconds = 5

  /// - Parameters:
  ///   - bootID: names this life of the daemon, unlike any other.
  ///   - pins: those of the data folder; the same value that requests hold theirs by.
  package init(
    _ configuration: DispatcherConfiguration, store: JobStore, bootID: String, pins: CheckpointPins
  ) {
    self.configuration = configuration
    self.store = store
    self.bootID = bootID
    self.pins = pins
    host = ProcessHost(configuration, pins: pins)
  }

  /// Finishes the deletions of earlier daemons and settles their jobs: adopts live workers, queues the jobs
  /// of dead ones again, and those that only their run folders know of; then starts to claim. The caller
  /// holds the lock of the data folder.
  package func start() throws {
    try finishDeletions()
    try restoreLostJobs()
    var loop = DispatchLoop(
      configuration, store: store, host: host, bootID: bootID, launches: launches
    ) { [inbox] in inbox.send($0) }
    try loop.settleEarlierRuns()
    var sweep = PinSweep(pins, store: store)
    sweep.run()
    let thread = try Thread(name: "dispatcher") { [loop, sweep, inbox] in
      var (loop, sweep) = (loop, sweep)
      while !loop.isDone {
        let patience = [loop.patienceMilliseconds, sweep.patienceMilliseconds].compactMap(\.self).min()
        loop.turn(inbox.receive(timeoutMilliseconds: patience))
        sweep.run()
        SystemClock.sleep(milliseconds: Self.gatheringMilliseconds)
      }
    }
    self.thread.withLock { $0 = thread }
  }

  /// Removes the files of jobs whose rows are gone. A folder that cannot be removed is left to the next
  /// start.
  private func finishDeletions() throws {
    for job in try store.unfinishedDeletions() {
      do {
        try RunFolder(data: configuration.dataPath, job: job).remove()
      } catch {
        Log("dispatcher").warning("job \(job): its deletion cannot be finished: \(error)")
        continue
      }
      try store.finishDeletion(job)
    }
  }

  /// Takes up the jobs whose run folders are there and whose rows are not.
  private func restoreLostJobs() throws {
    let root = RunFolder.root(data: configuration.dataPath)
    guard FileSystem.isDirectory(root) else { return }
    let log = Log("dispatcher")
    for job in try store.unknown(of: FileSystem.list(root).compactMap { JobID($0) }).sorted() {
      do {
        let spec = try RunFolder(data: configuration.dataPath, job: job).readSpec()
        try store.restore(job, attempt: spec.attempt, spec.specification)
        log.warning("job \(job): the database had lost it; it is restored from its run folder")
      } catch let error as RunFolderError {
        log.warning("job \(job): the database had lost it, and it cannot be restored: \(error)")
      }
    }
  }

  /// Looks into the store soon: something was queued or asked for.
  package func wake() { inbox.send(.look) }

  /// Why no new job can be taken: too little space is left; `nil`: it can.
  package var refusal: String? {
    guard let free = host.freeBytes, free < configuration.reserveBytes else { return nil }
    return "only \(free >> 20) MiB of space are left on the data folder's device, "
      + "\(configuration.reserveBytes >> 20) are kept free"
  }

  /// Which workers run, in the order in which they began.
  package var workers: [RunningWorker] { launches.workers }

  /// What keeps a worker from being started now, as it was found by the last try or is found by a look;
  /// `nil`: nothing, or there is no slot for one anyway.
  package var shortage: String? {
    if let noted = launches.shortage(nowNanoseconds: SystemClock.monotonicNanoseconds) { return noted }
    guard launches.hasFreeSlot, let error = host.launchShortage else { return nil }
    return "a worker could not be started: \(error)"
  }

  /// Has every worker write a checkpoint and leave, kills those that take too long, and returns when all are
  /// gone.
  package func stop() { end(.stop) }

  /// Returns at once and leaves the workers running, for the next daemon to adopt.
  package func detach() { end(.detach) }

  private func end(_ message: DispatchLoop.Message) {
    inbox.send(message)
    thread.withLock { $0.take() }?.join()
  }
}
