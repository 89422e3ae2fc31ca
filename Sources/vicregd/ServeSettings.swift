import Datasets
import Dispatcher
import Logging
import Platform

/// The settings of `vicregd serve`: one table, from which `--help` is printed.
struct ServeSettings: Sendable {
  static let data = Setting(
    name: "data", kind: .text("DIR"), standard: ".data",
    help: "queue, runs and checkpoints; made if missing; one daemon at a time")
  static let migrations = Setting(
    name: "migrations", kind: .text("DIR"), standard: nil,
    help: "the database's migrations; found next to the binary or in its source tree")

  static let table: [Setting] = WebSettings.table + own

  private static let own: [Setting] = [
    data,
    Setting(
      name: "workers", kind: .numberOrAuto(1...Self.workersMax), standard: "1",
      help:
        "jobs that run at the same time; auto: a lone job gets all cores that affinity and CPU quota leave, "
        + "small jobs that wait for each other share them"),
    Setting(
      name: "threads-per-worker", kind: .number(0...1024), standard: "0",
      help:
        "threads of each running job; 0 shares the cores among the workers, or with --workers auto chooses "
        + "for each job"),
    Setting(
      name: "worker-nice", kind: .number(Niceness.range), standard: "0",
      help:
        "niceness of running jobs (nice(2)): higher values yield to other processes. Next to as many busy "
        + "processes as cores a job keeps half of its speed or more at 0, a third at 3, a tenth at 10"),
    Setting(
      name: "crash-limit", kind: .number(1...1000), standard: "3",
      help: "deaths of a job's worker without a new checkpoint in between that fail the job"),
    Setting(
      name: "shutdown-seconds", kind: .number(1...3600), standard: "20",
      help: "time for workers to write a checkpoint and leave when the daemon is told to stop"),
    Setting(
      name: "detach-workers", kind: .flag, standard: "false",
      help: "leave the workers running when the daemon is told to stop; the next one takes them over"),
    Setting(
      name: "stall-seconds", kind: .number(0...86_400), standard: "3600",
      help: "seconds without a sign of life after which a worker is killed and its job goes on; 0: never"),
    Setting(
      name: "reserve-mib", kind: .number(0...1 << 24), standard: "512",
      help: "space to keep free: below it new jobs are refused and running ones rest; 0: none"),
    Setting(
      name: "public", kind: .text("DIR"), standard: nil,
      help: "the dashboard's files; found next to the binary or in its source tree"),
    migrations,
    Setting(
      name: "dygraphs", kind: .text("DIR"), standard: "/usr/share/javascript/dygraphs",
      help: "the chart library's files, served under /vendor/dygraphs/"),
    Setting(
      name: "fashion-mnist", kind: .text("DIR"), standard: DatasetCatalog.fashionMNISTRootDefault,
      help: "the four gzipped IDX files of the dataset"),
    Setting(
      name: "dataset-root", kind: .folders("DIR"), standard: "",
      help:
        "folder below which datasets may be named by their path, such as cifar10:DIR/cifar; may be given "
        + "more than once; in the variable, separated by colons. None: no dataset is named by a path"),
    Setting(
      name: "inspection-seconds", kind: .number(1...3_600), standard: "60",
      help: "longest that a process may take to look at the files of a dataset"),
    Setting(
      name: "inspection-mib", kind: .number(256...1 << 20), standard: "2048",
      help: "most memory that this process may take"),
    Setting(
      name: "embedders", kind: .number(1...64), standard: "2",
      help: "encoders that are kept ready to embed images of requests, each in a process of its own"),
    Setting(
      name: "embedder-idle-seconds", kind: .number(1...86_400), standard: "600",
      help: "seconds after which an encoder that nobody used is dropped"),
    Setting(
      name: "embedder-mib", kind: .number(256...1 << 20), standard: "2048",
      help: "most memory that one of these processes may take"),
    Setting(
      name: "features-mib", kind: .number(1...1 << 24), standard: "4096",
      help: "space for the features of datasets in which neighbours are looked for; the newest always stay"),
    Setting(
      name: "worker-environment", kind: .list("NAMES"), standard: "",
      help:
        "further variables that workers inherit, separated by commas; NAME* is every variable that begins "
        + "with NAME. Always: \(inheritedVariables.joined(separator: ", "))"),
    Setting(
      name: "isa", kind: .choice(["auto", "baseline", "avx2", "avx512"]), standard: "auto",
      help: "instruction set of the engine; results are the same bits only within one"),
    Setting(
      name: "log-level", kind: .choice(Log.Level.allCases.map(\.name)), standard: "info",
      help: "lines on standard error"),
  ]

  let web: WebSettings
  let data: String
  let placement: Placement
  let workerNice: Int
  let crashLimit: Int
  let shutdownSeconds: Int
  let detachesWorkers: Bool
  let stallSeconds: Int
  let reserveMiB: Int
  let publicFolder: String
  let migrations: String
  let dygraphs: String
  let fashionMNIST: String
  let datasetRoots: RootFolders
  let inspectionSeconds: Int
  let inspectionBytes: Int
  let embedders: Int
  let embedderIdleSeconds: Int
  let embedderBytes: Int
  let featuresBytes: Int
  let isa: String
  let logLevel: Log.Level
  /// Names of variables that workers inherit, and beginnings of names with an asterisk behind.
  private let inherited: [String]

  /// What a program needs to find its files and libraries, and to speak the user's language. Whatever else
  /// stands in the daemon's environment (secrets, settings of other programs) is not a worker's business.
  private static let inheritedVariables = [
    "PATH", "HOME", "LANG", "LC_*", "TMPDIR", "TZ", "LD_LIBRARY_PATH",
  ]

  /// - Throws: `UsageError`.
  init(arguments: [String], environment: [String: String]) throws {
    let settings = try Settings(ServeSettings.table, arguments: arguments, environment: environment)
    data = settings.text("data")
    web = try WebSettings(settings, data: data)
    placement = Self.placement(
      workers: settings.numberUnlessAuto("workers"), threads: settings.number("threads-per-worker"),
      cores: CPU.availableCores)
    workerNice = settings.number("worker-nice")
    crashLimit = settings.number("crash-limit")
    shutdownSeconds = settings.number("shutdown-seconds")
    detachesWorkers = settings.isSet("detach-workers")
    stallSeconds = settings.number("stall-seconds")
    reserveMiB = settings.number("reserve-mib")
    publicFolder = try Resources.find("Public", setting: settings.optionalText("public"))
    migrations = try Resources.find("migrations", setting: settings.optionalText("migrations"))
    dygraphs = settings.text("dygraphs")
    fashionMNIST = settings.text("fashion-mnist")
    datasetRoots = try ServeSettings.roots(settings)
    inspectionSeconds = settings.number("inspection-seconds")
    inspectionBytes = settings.number("inspection-mib") << 20
    embedders = settings.number("embedders")
    embedderIdleSeconds = settings.number("embedder-idle-seconds")
    embedderBytes = settings.number("embedder-mib") << 20
    featuresBytes = settings.number("features-mib") << 20
    inherited = Self.inheritedVariables + settings.values("worker-environment", separator: ",")
    isa = settings.text("isa")
    let level = settings.text("log-level")
    logLevel = Log.Level.allCases.first { $0.name == level } ?? .info
  }

  private static let workersMax = 64

  /// - Parameters:
  ///   - workers: nil: chosen by the daemon.
  ///   - threads: of each worker; 0: chosen by the daemon.
  private static func placement(workers: Int?, threads: Int, cores: Int) -> Placement {
    switch (workers, threads) {
    case (nil, 0): .automatic(cores: min(cores, workersMax))
    case (nil, _): .fixed(workers: min(workersMax, max(1, cores / threads)), threads: threads)
    case (let workers?, 0): .fixed(workers: workers, threads: max(1, cores / workers))
    case (let workers?, _): .fixed(workers: workers, threads: threads)
    }
  }

  /// The variables of a worker: those of this process that are on the list, and what the settings say of
  /// datasets and kernels.
  func workerEnvironment(_ own: [String: String]) -> [String: String] {
    var environment = own.filter { variable in
      !variable.key.hasPrefix(Setting.prefix)
        && inherited.contains { name in
          name.hasSuffix("*") ? variable.key.hasPrefix(name.dropLast()) : variable.key == name
        }
    }
    environment.merge(
      DatasetCatalog.environment(fashionMNISTRoot: fashionMNIST, roots: datasetRoots),
      uniquingKeysWith: { $1 })
    if isa != "auto" { environment["VICREGD_ISA"] = isa }
    environment[Niceness.variable] = "\(workerNice)"
    return environment
  }

  /// The folders below which datasets may lie, which must be there.
  private static func roots(_ settings: Settings) throws(UsageError) -> RootFolders {
    let folders = settings.values("dataset-root", separator: ":")
    for folder in folders where !FileSystem.isDirectory(folder) {
      throw UsageError("--dataset-root must be a folder that exists, got \"\(folder)\"")
    }
    do {
      let roots = try RootFolders(folders)
      for path in roots.paths where path.utf8.contains(UInt8(ascii: ":")) {
        throw UsageError("--dataset-root must lead to a path without a colon, got \"\(path)\"")
      }
      return roots
    } catch let error as UsageError {
      throw error
    } catch {
      throw UsageError("--dataset-root: \(error)")
    }
  }
}
