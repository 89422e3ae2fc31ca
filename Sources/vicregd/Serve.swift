import API
import Crypto
import Datasets
import Dispatcher
import HTTP
import HTTPServer
import JobModel
import JobStore
import Logging
import Platform

/// `vicregd serve`: the daemon.
enum Serve {
  /// Runs until SIGTERM or SIGINT.
  static func run(_ arguments: [String]) throws -> Int32 {
    if arguments.contains("--help") {
      StandardStream.output.write("usage: vicregd serve [FLAGS]\n\n\(Settings.help(ServeSettings.table))")
      return 0
    }
    let settings = try ServeSettings(arguments: arguments, environment: Environment.all)
    Log.level = settings.logLevel
    let signals = SignalWaiter([.terminate, .interrupt])
    let data = try DataFolder(settings.data)
    let store = try data.openStore(migrations: settings.migrations)
    let catalog = DatasetCatalog(fashionMNISTRoot: settings.fashionMNIST)
    let memory = TrainingMemory(threads: settings.threadsPerWorker)
    var configuration = try dispatcherConfiguration(settings, data: data)
    configuration.memoryBytes = { memory.bytes($0, in: catalog) }
    let dispatcher = Dispatcher(configuration, store: store, bootID: SecureRandom.id(byteCount: 8))
    // Before the first request: what an earlier daemon left behind is settled.
    try dispatcher.start()
    let control = DaemonControl(dispatcher: dispatcher, memory: memory)
    let router = try router(settings, data: data, store: store, catalog: catalog, control: control)
    let server = HTTPServer(serverConfiguration(settings)) { router.respond(to: $0) }
    let port = try server.start()
    announce(host: settings.host, port: port)

    let signal = signals.wait()
    let what = settings.detachesWorkers ? "go on by themselves" : "write their checkpoints"
    Log("serve").info("told to stop by signal \(signal.rawValue); workers \(what)")
    if settings.detachesWorkers { dispatcher.detach() } else { dispatcher.stop() }
    server.stop()
    withExtendedLifetime(data) {}
    return 0
  }

  private static func dispatcherConfiguration(
    _ settings: ServeSettings, data: DataFolder
  ) throws -> DispatcherConfiguration {
    var configuration = DispatcherConfiguration(
      dataPath: data.path, program: try FileSystem.executablePath(), arguments: ["work"],
      workers: settings.workers, threadsPerWorker: settings.threadsPerWorker)
    configuration.environment = settings.workerEnvironment(Environment.all)
    configuration.crashLimit = settings.crashLimit
    configuration.stallMilliseconds = settings.stallSeconds * 1000
    configuration.reserveBytes = settings.reserveMiB << 20
    configuration.shutdownGraceMilliseconds = settings.shutdownSeconds * 1000
    return configuration
  }

  private static func serverConfiguration(_ settings: ServeSettings) -> ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.host = settings.host
    configuration.port = settings.port
    configuration.requestLimits.bodyBytesMax = settings.bodyBytesMax
    configuration.connectionsMax = settings.connectionsMax
    configuration.allowedHosts = settings.allowedHosts
    configuration.handlerThreads = settings.handlerThreads
    let log = Log("http")
    configuration.accessLog = { record in
      let request = "\(record.peer) \(record.method?.rawValue ?? "-") \(record.path)"
      log.debug("\(request) \(record.status) \(record.bytes) bytes \(record.milliseconds) ms")
    }
    return configuration
  }

  /// The API's routes; the chart library under its prefix; the dashboard for every other path.
  private static func router(
    _ settings: ServeSettings, data: DataFolder, store: JobStore, catalog: DatasetCatalog,
    control: DaemonControl
  ) throws -> Router {
    let dashboard = try StaticFiles(root: settings.publicFolder)
    var router = Router(problem: API.problem) { try dashboard.respond(to: $0) }
    let api = API(
      store: store, data: data.path,
      datasets: CatalogDirectory(catalog: catalog),
      control: control, version: Version.number)
    api.addRoutes(to: &router)
    if FileSystem.isDirectory(settings.dygraphs) {
      let charts = try StaticFiles(root: settings.dygraphs)
      router.on(.get, "/vendor/dygraphs/{file}") { try charts.respond(to: $0, droppingFirst: 2) }
    } else {
      Log("serve").warning(
        "there is no folder \(settings.dygraphs): the dashboard has no curves; install libjs-dygraphs or "
          + "name its folder by --dygraphs")
    }
    return router
  }

  private static func announce(host: String, port: Int) {
    let url = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    let line: JSON = ["event": "listening", "url": .string(url)]
    StandardStream.output.write(line.text + "\n")
    Log("serve").info("listening on \(url)")
  }
}
