import API
import Dispatcher
import Platform

/// The threads and processes that the daemon needs for itself and for one worker.
enum ThreadBudget {
  /// The writer of the store, the dispatcher, the hub of events, and the look of `/readyz`.
  private static let own = 4

  /// Makes sure, by starting that many threads for a moment, that a daemon which says that it listens can
  /// answer and run a job.
  ///
  /// - Throws: `UsageError` if there can be fewer.
  static func check(_ settings: ServeSettings) throws(UsageError) {
    let server = settings.web.server
    // The access log and the watch over tokens have a thread each where they are used.
    let needed =
      own + 2 + server.handlerThreads + server.loopThreads + API.computingThreads
      + (CatalogDirectory.inspectorsMax + ExportCheckpoint.processesMax + EmbedDataset.processesMax) * 2
      + settings.embedders * 2
      + DispatcherConfiguration.threadsPerLaunch(of: settings.placement.threadsMax)
    let (started, failure) = Thread.probe(needed)
    guard let failure else { return }
    throw UsageError(
      "these settings need \(needed) threads and processes, and only \(started) can be started "
        + "(\(failure.cause)): raise the limit of processes (ulimit -u, or the control group's pids.max), or "
        + "lower --handler-threads or --threads-per-worker")
  }
}
