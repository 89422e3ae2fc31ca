import API
import Dispatcher
import Platform

/// How the descriptors that this process may have open are divided: what the daemon needs for itself is kept
/// back, and connections get the rest. So connections never keep a worker from being started.
struct DescriptorBudget: Sendable {
  /// Kept back for everything that is not a connection.
  let reserve: Int
  /// Connections that there are descriptors for.
  let connections: Int
  /// What the log says of it where there are fewer than `--connections-max`.
  let note: String?

  /// With fewer the daemon would not be of use.
  private static let connectionsMin = 8
  /// A connection's socket, and the file that its answer may be sent from.
  private static let perConnection = 2
  /// A reading connection to the database: the database and its write-ahead log.
  private static let perReader = 2
  /// The writing connection: these two and the shared memory of both.
  private static let perWriter = 3
  /// A handler's own: the file that it looks at and the folder that it has found it in.
  private static let perHandler = 2
  /// A loop's `Epoll` and its wake-up.
  private static let perLoop = 2
  /// A process that looks at a dataset or makes a file: two ends of the pipe to it.
  private static let perInspector = 2
  /// A process that keeps an encoder: its channel, whose other end is open while it is started.
  private static let perEmbedder = 2
  /// The lock of the data folder, the listener, the access log and its successor, the file of tokens,
  /// certificate and key, a connection that is refused, and what libraries open for a moment.
  private static let others = 12

  /// - Parameters:
  ///   - limit: descriptors that this process may have open.
  ///   - inherited: those that are open already.
  /// - Throws: `UsageError` if too few are left for connections.
  init(_ settings: ServeSettings, limit: Int, inherited: Int) throws(UsageError) {
    let server = settings.web.server
    // Whoever reads the store: handlers, the threads of computed answers, the dispatcher, the hub of events,
    // and the look of `/readyz`.
    let readers = server.handlerThreads + API.computingThreads + 3
    let web = server.handlerThreads * Self.perHandler + server.loopThreads * Self.perLoop
    let children =
      DispatcherConfiguration.descriptorsPerLaunch * 2
      + (CatalogDirectory.inspectorsMax + ExportCheckpoint.processesMax + EmbedDataset.processesMax)
      * Self.perInspector + settings.embedders * Self.perEmbedder
    reserve =
      inherited + Self.others + Self.perWriter + readers * Self.perReader + web + children
    let needed = reserve + Self.connectionsMin * Self.perConnection
    guard limit >= needed else {
      throw UsageError(
        "the limit of open files (ulimit -n) must be at least \(needed) with these settings, got \(limit): "
          + "\(reserve) for database, run folders, workers and handlers, and "
          + "\(needed - reserve) for \(Self.connectionsMin) connections; raise it, or lower --handler-threads"
      )
    }
    connections = (limit - reserve) / Self.perConnection
    note =
      connections >= server.connectionsMax
      ? nil
      : "the limit of open files is \(limit), of which \(reserve) are kept for database, run folders and "
        + "workers: at most \(connections) connections are open, and idle ones make room for new ones"
  }
}
