import Datasets
import JobModel
import Logging
import Platform
import RunFolder

/// Does the work that a run folder asks for, in this process: the body of `vicregd work RUN_DIR`.
///
/// Everything it has to say goes into the folder: the stream, checkpoints, and (by standard error) the log.
/// Stops for SIGTERM (checkpoint, `yielded`), SIGUSR1 (checkpoint, `end` cancelled) and SIGINT (`end`
/// cancelled at once).
///
/// - Parameter version: of this program.
/// - Returns: the exit code: 0 when the run succeeded, was cancelled or yielded; 1 when it failed and `end`
///   says so;
///   2 when not even that could be written, `RunFolder.diskFullExitCode` for want of space,
///   `RunFolder.shortageExitCode` for want of descriptors, threads or memory.
package func runWorker(runDirectory: String, version: String) -> Int32 {
  let signals = StopSignals()
  Niceness.standBack(as: Environment.all)
  let log = Log("worker")
  let folder = RunFolder(runDirectory)
  do {
    let lock = try RunLock(folder)
    let events = try EventWriter(folder)
    return try withExtendedLifetime(lock) {
      // The daemon hands its settings to its workers by the environment.
      let catalog = DatasetCatalog(environment: Environment.all)
      return try Run(
        folder: folder, lock: lock, events: events, signals: signals, log: log, catalog: catalog,
        version: version
      ).perform()
    }
  } catch let error as SystemError where error.isDiskFull {
    log.error("\(error)")
    return RunFolder.diskFullExitCode
  } catch {
    log.error("\(error)")
    return shortage(behind: error) == nil ? 2 : RunFolder.shortageExitCode
  }
}

/// The machine that this process runs on, as a worker of so many threads uses it.
package func workerHost(threads: Int, isa: String, version: String) -> JobHost {
  JobHost(
    cpu: CPU.model, cores: CPU.availableCores, threads: threads, isa: isa,
    memoryBytes: MachineMemory.totalBytes, version: version)
}
