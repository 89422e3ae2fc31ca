import API
import Access
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
    let signals = SignalWaiter([.terminate, .interrupt, .hangUp])
    let tokens = try tokens(settings.web)
    let data = try DataFolder(settings.data)
    var web = settings.web.server
    web.tls = try settings.web.readCertificate()
    let accessLog = try settings.web.accessLogPath.map { try AccessLog(path: $0) }
    if let accessLog { web.accessLog = { accessLog.write($0) } }
    let store = try data.openStore(migrations: settings.migrations)
    let catalog = DatasetCatalog(fashionMNISTRoot: settings.fashionMNIST)
    let memory = JobMemory(threads: settings.threadsPerWorker, catalog: catalog) { id in
      // A job that is not there or cannot be read is refused where it is asked for.
      guard let job = try? store.job(id), case .train(let training)? = try? job.specification() else {
        return nil
      }
      return training
    }
    var configuration = try dispatcherConfiguration(settings, data: data)
    configuration.memoryBytes = { memory.bytes($0) }
    let dispatcher = Dispatcher(configuration, store: store, bootID: SecureRandom.id(byteCount: 8))
    // Before the first request: what an earlier daemon left behind is settled.
    try dispatcher.start()
    let control = DaemonControl(dispatcher: dispatcher, memory: memory)
    let events = try EventHub(store: store)
    let router = try router(
      settings, data: data, store: store, catalog: catalog, control: control, events: events, tokens: tokens)
    let access = AccessControl(
      router, tokens: tokens, origins: OriginRule(allowedOrigins: settings.web.allowedOrigins))
    let server = HTTPServer(web, instant: access.instantResponse) { access.respond(to: $0) }
    let port = try server.start()
    announce(host: settings.web.host, port: port, isSecure: web.tls != nil)

    var signal = signals.wait()
    while signal == .hangUp {
      reload(settings.web, server, accessLog)
      signal = signals.wait()
    }
    let what = settings.detachesWorkers ? "go on by themselves" : "write their checkpoints"
    Log("serve").info("told to stop by signal \(signal.rawValue); workers \(what)")
    if settings.detachesWorkers { dispatcher.detach() } else { dispatcher.stop() }
    server.stop(graceSeconds: Double(settings.web.stopSeconds))
    events.stop()
    accessLog?.close()
    withExtendedLifetime(data) {}
    return 0
  }

  /// The tokens that requests need; nil where nobody is asked.
  ///
  /// - Throws: `UsageError` where others could reach a daemon that asks nobody.
  private static func tokens(_ web: WebSettings) throws -> TokenFile? {
    if web.allowsNobodyAsked {
      if !web.isLoopback { Log("serve").warning("anybody who reaches \(web.host) can queue and delete jobs") }
      return nil
    }
    let file = TokenFile(web.tokensPath)
    if try !file.tokens().isEmpty { return file }
    if web.isLoopback { return nil }
    throw UsageError(
      "--host \(web.host) can be reached by others, and \(file.path) has no access token: anybody could "
        + "queue and delete jobs. Make one by `vicregd token create --name NAME`, listen on 127.0.0.1, or "
        + "say --insecure-no-auth if the network is trusted")
  }

  /// SIGHUP: certificate and access log anew. What cannot be read leaves the old one in use.
  private static func reload(_ web: WebSettings, _ server: HTTPServer, _ accessLog: AccessLog?) {
    accessLog?.reopen()
    do {
      if let certificate = try web.readCertificate() { server.replaceCertificate(by: certificate) }
      Log("serve").info("certificate and access log were opened again")
    } catch {
      Log("serve").error("\(error); the old certificate stays in use")
    }
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

  /// The API's routes; the chart library under its prefix; the dashboard for every other path.
  private static func router(
    _ settings: ServeSettings, data: DataFolder, store: JobStore, catalog: DatasetCatalog,
    control: DaemonControl, events: EventHub, tokens: TokenFile?
  ) throws -> Router {
    let dashboard = try StaticFiles(root: settings.publicFolder)
    var router = Router(
      problem: API.problem, fallback: { try dashboard.respond(to: $0) },
      instantFallback: { dashboard.instantResponse(to: $0) })
    let api = API(
      store: store, data: data.path,
      datasets: CatalogDirectory(catalog: catalog), control: control, events: events,
      streamSeconds: settings.web.streamSeconds, limits: settings.web.limits, version: Version.number)
    AccessControl.addRoutes(to: &router, tokens: tokens)
    api.addRoutes(to: &router)
    if FileSystem.isDirectory(settings.dygraphs) {
      let charts = try StaticFiles(root: settings.dygraphs)
      router.on(.get, "/vendor/dygraphs/{file}", access: .open) {
        try charts.respond(to: $0, droppingFirst: 2)
      }
    } else {
      Log("serve").warning(
        "there is no folder \(settings.dygraphs): the dashboard has no curves; install libjs-dygraphs or "
          + "name its folder by --dygraphs")
    }
    return router
  }

  private static func announce(host: String, port: Int, isSecure: Bool) {
    let url = "\(isSecure ? "https" : "http")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    let line: JSON = ["event": "listening", "url": .string(url)]
    StandardStream.output.write(line.text + "\n")
    Log("serve").info("listening on \(url)")
  }
}
