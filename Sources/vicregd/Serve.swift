import API
import Access
import Crypto
import Dispatcher
import Embedder
import Exporter
import HTTP
import HTTPServer
import JSONText
import JobStore
import Kernels
import Logging
import Platform
import Recipe
import RunFolder
import SweepRunner
import Text
import Training
import Worker

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
    // Workers have the same niceness unless --worker-nice says otherwise: requests must not wait for them.
    Thread.take(.short)
    let descriptors = try DescriptorBudget(
      settings, limit: DescriptorLimit.raise(), inherited: DescriptorLimit.inheritedCount)
    try ThreadBudget.check(settings)
    let access = try ServeAccess(settings.web)
    let data = try DataFolder(settings.data)
    var configuration = try dispatcherConfiguration(settings, data: data)
    var web = settings.web.server
    web.connectionsRoom = descriptors.connections
    web.tls = try settings.web.readCertificate()
    let accessLog = try settings.web.accessLogPath.map { try AccessLog(path: $0) }
    if let accessLog { web.accessLog = { accessLog.write($0) } }
    let store = try openStore(settings, data)
    let folders = DatasetFolders(data: data.path)
    try sweep(folders, store)
    try ModelFolder(data: data.path).sweep(keeping: Set(store.models().map(\.id)))
    let datasets = CatalogDirectory(settings, program: try FileSystem.executablePath()) {
      try store.dataset(named: $0)
    }
    connect(&configuration, store: store, folders: folders)
    let costs = costs(settings, store: store, datasets: datasets)
    connect(&configuration, costs)
    let pins = CheckpointPins(data: data.path)
    let exports = try exporter(settings, data: data)
    let embedder = try EmbedImages.embedder(settings, data: data.path)
    let dispatcher = Dispatcher(
      configuration, store: store, bootID: SecureRandom.id(byteCount: 8), pins: pins)
    // Before the first request: what an earlier daemon left behind is settled.
    try dispatcher.start()
    let jobControl = DaemonControl(dispatcher: dispatcher, costs: costs)
    let events = try EventHub(store: store)
    let system = try systemParts(settings, data, store, dispatcher, access)
    let (router, sweeps) = try router(
      settings, data: data, store: store, datasets: datasets, control: jobControl, events: events,
      pins: pins, exports: exports, embedder: embedder, authenticator: access.authenticator, system: system)
    try sweeps.start()
    let control = access.control(router)
    let server = HTTPServer(
      web, admission: control.admission, sink: control.sink, limits: router.limits,
      instant: control.instantResponse
    ) { control.respond(to: $0) }
    let watch = try access.watchTokens()
    let port = try server.start()
    if let note = descriptors.note { Log("serve").info(note) }
    announce(host: settings.web.host, port: port, isSecure: web.tls != nil)
    try access.createFirstToken(port: port)

    let signal = waitForStop(signals, settings.web, server, accessLog)
    let what = settings.detachesWorkers ? "go on by themselves" : "write their checkpoints"
    Log("serve").info("told to stop by signal \(signal.rawValue); workers \(what)")
    sweeps.stop()
    if settings.detachesWorkers { dispatcher.detach() } else { dispatcher.stop() }
    server.stop(graceSeconds: Double(settings.web.stopSeconds))
    embedder.close()
    system.monitor.stop()
    events.stop()
    watch?.stop()
    accessLog?.close()
    withExtendedLifetime(data) {}
    return 0
  }

  /// Waits until a signal asks for the end, and reloads at each SIGHUP before that.
  private static func waitForStop(
    _ signals: SignalWaiter, _ web: WebSettings, _ server: HTTPServer, _ accessLog: AccessLog?
  ) -> Signal {
    var signal = signals.wait()
    while signal == .hangUp {
      reload(web, server, accessLog)
      signal = signals.wait()
    }
    return signal
  }

  /// SIGHUP: opens certificate and access log again. What cannot be read leaves the old one in use.
  private static func reload(_ web: WebSettings, _ server: HTTPServer, _ accessLog: AccessLog?) {
    accessLog?.reopen()
    do {
      if let certificate = try web.readCertificate() { server.replaceCertificate(by: certificate) }
      Log("serve").info("certificate and access log were opened again")
    } catch {
      Log("serve").error("\(error); the old certificate stays in use")
    }
  }

  /// What jobs will take. A job or a model that is not there or cannot be read is refused where it is asked
  /// for.
  private static func costs(
    _ settings: ServeSettings, store: JobStore, datasets: CatalogDirectory
  ) -> JobCosts {
    JobCosts(
      threads: settings.placement.threadsMax, directory: datasets,
      training: { id in (try? store.job(id)?.specification())?.train },
      model: { name in (try? store.model(named: name))?.description })
  }

  /// Tells a dispatcher where the datasets and models lie that jobs read and write.
  private static func connect(
    _ configuration: inout DispatcherConfiguration, store: JobStore, folders: DatasetFolders
  ) {
    configuration.uploadPath = { job in
      let path = folders.uploadPath(of: job)
      return FileSystem.exists(path) ? path : nil
    }
    configuration.model = { try store.model(named: $0) }
    configuration.datasetFolder = { job, specification in
      if let specification = specification.work as? ImportSpecification {
        // A dataset that was deleted, or has been imported anew by another job, is not imported by a retry.
        let isRegistered = try store.dataset(named: specification.name)?.id == job
        return isRegistered ? folders.path(of: job) : nil
      }
      let name = specification.work.datasetUse?.name
      guard let name, ImportSpecification.isName(name) else { return nil }
      return try store.dataset(named: name).map { folders.path(of: $0.id) }
    }
  }

  /// Removes what daemons and workers that were killed have left of datasets.
  private static func sweep(_ folders: DatasetFolders, _ store: JobStore) throws {
    try folders.create()
    let records = try store.datasets()
    try folders.sweep(
      keeping: Set(records.map(\.id)), archivesOf: Set(records.filter { $0.state != .ready }.map(\.id)))
  }

  /// Tells a dispatcher what memory jobs will take.
  private static func connect(_ configuration: inout DispatcherConfiguration, _ costs: JobCosts) {
    configuration.memoryBytes = { costs.cost(of: $0).memoryBytes }
    configuration.isMemoryComing = { costs.isComing($0) }
  }

  private static func openStore(_ settings: ServeSettings, _ data: DataFolder) throws -> JobStore {
    try data.openStore(
      migrations: settings.migrations, machine: machine(settings), workersMax: settings.placement.workersMax)
  }

  /// By which the rates of this machine's workers are kept.
  private static func machine(_ settings: ServeSettings) -> String {
    // A set that this machine lacks is refused by each worker, with the reason.
    let isa = try? InstructionSet.named(settings.isa == "auto" ? nil : settings.isa)
    return workerHost(
      threads: settings.placement.threadsMax, isa: isa?.rawValue ?? settings.isa, version: Version.number
    ).rateKey
  }

  private static func dispatcherConfiguration(
    _ settings: ServeSettings, data: DataFolder
  ) throws -> DispatcherConfiguration {
    var configuration = DispatcherConfiguration(
      dataPath: data.path, program: try FileSystem.executablePath(), arguments: ["work"],
      placement: settings.placement)
    configuration.environment = settings.workerEnvironment(Environment.all)
    configuration.crashLimit = settings.crashLimit
    configuration.stallMilliseconds = settings.stallSeconds * 1000
    configuration.reserveBytes = settings.reserveMiB << 20
    configuration.shutdownGraceMilliseconds = settings.shutdownSeconds * 1000
    return configuration
  }

  /// Makes files of checkpoints, below the data folder.
  private static func exporter(_ settings: ServeSettings, data: DataFolder) throws -> ModelExporter {
    try ModelExporter(
      ModelExporter.Configuration(
        program: FileSystem.executablePath(), arguments: [ExportCheckpoint.name],
        environment: settings.workerEnvironment(Environment.all), folder: "\(data.path)/exports",
        seconds: ExportCheckpoint.seconds))
  }

  /// The API's routes; the chart library under its prefix; the dashboard for every other path. And who has
  /// sweeps go on, which makes jobs as the API does.
  private static func router(
    _ settings: ServeSettings, data: DataFolder, store: JobStore, datasets: CatalogDirectory,
    control: DaemonControl, events: EventHub, pins: CheckpointPins, exports: ModelExporter,
    embedder: ImageEmbedder,
    authenticator: Authenticator?, system: (monitor: SystemMonitor, facts: SystemFacts)
  ) throws -> (Router, SweepRunner) {
    let dashboard = try StaticFiles(root: settings.publicFolder)
    var router = Router(
      bodyLimit: BodyLimit(
        name: "small_body_bytes_max", bytesMax: settings.web.limits["small_body_bytes_max"] ?? 0),
      problem: API.problem, fallback: { try dashboard.respond(to: $0) },
      instantFallback: { dashboard.instantResponse(to: $0) })
    let api = API(
      store: store, data: data.path,
      datasets: datasets, control: control, events: events, pins: pins, exports: exports,
      checkModel: { try ModelFile.check($0, $1) }, embedder: embedder, roots: settings.datasetRoots,
      streamSeconds: settings.web.streamSeconds, limits: settings.web.limits,
      monitor: system.monitor, facts: system.facts, version: Version.number)
    AccessControl.addRoutes(
      to: &router, authenticator: authenticator, tokenCommand: settings.web.tokenCommand)
    api.addRoutes(to: &router)
    if FileSystem.isDirectory(settings.dygraphs) {
      let charts = try StaticFiles(root: settings.dygraphs)
      router.on(
        .get, "/vendor/dygraphs/{file}", access: .open,
        instant: { charts.instantResponse(to: $0, droppingFirst: 2) }
      ) { try charts.respond(to: $0, droppingFirst: 2) }
    } else {
      Log("serve").warning(
        "there is no folder \(settings.dygraphs): the dashboard has no curves; install libjs-dygraphs or "
          + "name its folder by --dygraphs")
    }
    let sweeps = SweepRunner(store: store, source: TrialMaker(api: api), queued: control.wake)
    return (router, sweeps)
  }

  private static func announce(host: HostAddress, port: Int, isSecure: Bool) {
    let url = "\(isSecure ? "https" : "http")://\(host.urlText):\(port)"
    let line: JSON = ["event": "listening", "url": .string(url)]
    StandardStream.output.write(line.text + "\n")
    Log("serve").info("listening on \(url)")
  }
}
