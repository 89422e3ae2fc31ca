import API
import Dispatcher
import JobStore
import Kernels
import Platform

extension Serve {
  /// What `GET /system` tells: the last hour, and what the daemon knows of itself.
  static func systemParts(
    _ settings: ServeSettings, _ data: DataFolder, _ store: JobStore, _ dispatcher: Dispatcher,
    _ access: ServeAccess
  ) throws -> (monitor: SystemMonitor, facts: SystemFacts) {
    let monitor = SystemMonitor(store: store, data: data.path)
    try monitor.start()
    return (monitor, systemFacts(settings, data, dispatcher, access))
  }

  /// What the daemon knows of itself, for `GET /system`.
  static func systemFacts(
    _ settings: ServeSettings, _ data: DataFolder, _ dispatcher: Dispatcher, _ access: ServeAccess
  ) -> SystemFacts {
    var facts = SystemFacts()
    facts.workersMax = settings.placement.workersMax
    facts.threadsMax = settings.placement.threadsMax
    facts.reserveBytes = settings.reserveMiB << 20
    facts.databasePath = data.databasePath
    // A set that this machine lacks is refused by each worker, with the reason.
    facts.isa = (try? InstructionSet.named(settings.isa == "auto" ? nil : settings.isa))?.rawValue
    facts.workers = {
      let (now, time) = (SystemClock.monotonicNanoseconds, SystemClock.unixMilliseconds)
      return dispatcher.workers.map { worker in
        let age = now > worker.begunNanoseconds ? Int((now - worker.begunNanoseconds) / 1_000_000) : 0
        return SystemFacts.Worker(job: worker.job, threads: worker.threads, sinceMilliseconds: time - age)
      }
    }
    facts.tokens = { try access.tokenReports() }
    return facts
  }
}
