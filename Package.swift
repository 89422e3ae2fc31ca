// swift-tools-version: 6.2
import PackageDescription

// The folders of `Sources/` are the steps that a job takes; each target is one of their rooms.
// TidyTests reads this table and the sources, and enforces who may import whom.

/// Every target: Swift 6, warnings are errors, no implicit existentials.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]
/// Targets outside the fence of unsafe code must mark each unsafe use.
let safe: [SwiftSetting] = strict + [.strictMemorySafety()]
/// Engine targets are optimised in debug builds too, or their tests would take hours.
let fast: SwiftSetting = .unsafeFlags(["-O"])

/// A file uses only members from modules that it imports itself: a layer that does not import
/// `TensorElements` cannot index a tensor.
let ownImports: SwiftSetting = .enableUpcomingFeature("MemberImportVisibility")

/// Compiles the files of a target as one, so that small functions are inlined across them in debug builds
/// too.
let whole: SwiftSetting = .unsafeFlags([
  "-disable-batch-mode", "-whole-module-optimization", "-num-threads", "1",
])
/// Compiles a target for a level of x86-64.
func level(_ name: String) -> SwiftSetting { .unsafeFlags(["-Xcc", "-march=\(name)"]) }

#if arch(x86_64)
  let kernelVariants: [Target.Dependency] = ["KernelsBaseline", "KernelsAVX2", "KernelsAVX512"]
#else
  let kernelVariants: [Target.Dependency] = ["KernelsBaseline"]
#endif

func room(
  _ name: String, in folder: String, _ dependencies: [Target.Dependency] = [],
  settings: [SwiftSetting] = safe, linker: [LinkerSetting] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(folder)/\(name)",
    swiftSettings: settings, linkerSettings: linker)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = [],
  settings: [SwiftSetting] = strict
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests",
    resources: resources, swiftSettings: settings)
}

let package = Package(
  name: "vicregd",
  targets: [
    .executableTarget(
      name: "vicregd",
      dependencies: [
        "API", "Access", "HTTPServer", "HTTP", "JobStore", "JobModel", "Recipe", "JSONText", "Dispatcher",
        "Worker",
        "RunFolder", "Inspector", "Exporter", "Embedder", "SharedWork", "SweepRunner", "Text", "Datasets",
        "Platform",
        "Logging", "Crypto",
        "Training", "NeuralNet", "Benchmarks", "Kernels", "Parallel",
      ],
      path: "Sources/vicregd", swiftSettings: safe),

    // What `vicregd bench` measures.
    .target(
      name: "Benchmarks",
      dependencies: [
        "Datasets", "Kernels", "NeuralNet", "Parallel", "Platform", "Recipe", "RunFolder", "Tensors", "Text",
        "Training",
      ],
      path: "Sources/Benchmarks", swiftSettings: safe),

    // Web: a request comes in.
    room("HTTP", in: "Web", ["Text"]),
    room("Access", in: "Web", ["HTTP", "Text", "Platform", "Crypto"]),
    room("HTTPServer", in: "Web", ["HTTP", "Text", "Platform", "Gzip", "Crypto"]),
    room(
      "API", in: "Web",
      [
        "HTTP", "JobStore", "JobModel", "Sweeps", "SweepRunner", "Recipe", "JSONText", "SQLite", "RunFolder",
        "SharedWork", "Logging", "Platform",
        "Crypto", "Text",
      ]),

    // Jobs: it becomes a job in the queue.
    room("JobModel", in: "Jobs", ["Recipe", "JSONText", "Text"]),
    room("SQLite", in: "Jobs", ["Text", "CSQLite"], settings: strict),
    // The searchers of sweeps compute, and are optimised as the engine is.
    room("Sweeps", in: "Jobs", ["Recipe", "JSONText", "Platform", "Text"], settings: safe + [fast]),
    room("JobStore", in: "Jobs", ["SQLite", "JobModel", "Sweeps", "Recipe", "JSONText", "Text", "Platform"]),

    room("SweepRunner", in: "Jobs", ["JobStore", "Sweeps", "Recipe", "JSONText", "Logging", "Platform"]),

    // Workers: it is run by a child process.
    room(
      "RunFolder", in: "Workers",
      ["JobModel", "Recipe", "JSONText", "Text", "Platform", "Crypto", "Logging"]),
    room(
      "Inspector", in: "Workers",
      ["Datasets", "Images", "Recipe", "JSONText", "Logging", "Platform", "SharedWork", "Text"]),
    room(
      "Exporter", in: "Workers",
      ["Training", "Recipe", "RunFolder", "JSONText", "Logging", "Platform", "SharedWork", "Text"]),
    room(
      "Embedder", in: "Workers",
      [
        "Training", "Importing", "Datasets", "Recipe", "RunFolder", "JSONText", "Logging", "Platform",
        "SharedWork", "Text",
      ]),
    room(
      "Dispatcher", in: "Workers",
      ["RunFolder", "JobStore", "JobModel", "Recipe", "JSONText", "Text", "Platform", "Logging"]),
    room(
      "Worker", in: "Workers",
      [
        "RunFolder", "Training", "NeuralNet", "Datasets", "Importing", "Images", "JobModel", "Recipe",
        "JSONText",
        "Platform", "Logging", "Text",
      ]),

    // Engine: it trains.
    room(
      "Training", in: "Engine",
      [
        "Recipe", "JSONText", "Datasets", "NeuralNet", "Tensors", "TensorElements", "Parallel", "Kernels",
        "Platform", "Gzip", "Text",
      ],
      settings: safe + [fast]),
    // What determines a training; the jobs keep it, the engine takes it.
    room("Recipe", in: "Engine", ["JSONText", "Text"]),
    room(
      "Datasets", in: "Engine",
      ["Recipe", "JSONText", "Tensors", "TensorElements", "Parallel", "Platform", "Crypto", "Gzip", "Text"],
      settings: safe + [fast]),
    // Files from outside become a packed dataset.
    room(
      "Importing", in: "Engine",
      [
        "Archives", "Datasets", "Gzip", "Images", "Parallel", "Platform", "Recipe", "Tensors", "Text",
      ], settings: safe + [fast]),
    room(
      "NeuralNet", in: "Engine",
      ["Recipe", "Tensors", "TensorElements", "Parallel", "Kernels", "Platform"],
      settings: safe + [fast, ownImports]),
    room("Tensors", in: "Engine", ["Platform"], settings: strict + [fast]),
    // Single elements of tensors, for the kernels and for what reads and writes images and files.
    room("TensorElements", in: "Engine", ["Tensors"], settings: strict + [fast]),
    room("Parallel", in: "Engine", ["Platform", "CParallel"], settings: strict + [fast]),
    room(
      "Kernels", in: "Engine",
      ["Recipe", "Tensors", "TensorElements", "Parallel", "Platform", "KernelsABI"] + kernelVariants,
      settings: strict + [fast]),
    // The same sources once for each instruction set, through a link named `Shared` to `KernelsShared`.
    room("KernelsABI", in: "Engine", settings: strict + [fast]),
    room("KernelsBaseline", in: "Engine", ["KernelsABI", "CPrefetch"], settings: strict + [fast, whole]),

    // System: the machine below.
    room("Platform", in: "System", ["CCPU", "CLinux"], settings: strict),
    room("Text", in: "System", settings: strict),
    .target(name: "JSONText", dependencies: ["Text"], path: "Sources/System/JSON", swiftSettings: safe),
    room("SharedWork", in: "System", ["Platform"]),
    room("Logging", in: "System", ["Platform"]),
    room("Gzip", in: "System", ["CZlib", "Platform"], settings: strict),
    room("Crypto", in: "System", ["COpenSSL", "Platform"], settings: strict),
    // Decoders and archives, whose libraries are told nothing but bytes.
    room("Images", in: "System", ["CPNG", "CJPEG", "CWebP"], settings: strict + [fast]),
    room("Archives", in: "System", ["CArchive", "Platform", "Text"], settings: strict),
    .systemLibrary(
      name: "CArchive", path: "Sources/CLibraries/CArchive", pkgConfig: "libarchive",
      providers: [.apt(["libarchive-dev"])]),
    .target(name: "CParallel", path: "Sources/CLibraries/CParallel"),
    .target(
      name: "CPNG", path: "Sources/CLibraries/CPNG", linkerSettings: [.linkedLibrary("png16")]),
    .target(
      name: "CJPEG", path: "Sources/CLibraries/CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .target(
      name: "CWebP", path: "Sources/CLibraries/CWebP",
      linkerSettings: [.linkedLibrary("webp"), .linkedLibrary("webpdemux")]),
    .target(name: "CPrefetch", path: "Sources/CLibraries/CPrefetch"),
    .systemLibrary(name: "CCPU", path: "Sources/CLibraries/CCPU"),
    .systemLibrary(name: "CLinux", path: "Sources/CLibraries/CLinux"),
    .systemLibrary(
      name: "CSQLite", path: "Sources/CLibraries/CSQLite", pkgConfig: "sqlite3",
      providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(
      name: "COpenSSL", path: "Sources/CLibraries/COpenSSL", pkgConfig: "openssl",
      providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CZlib", path: "Sources/CLibraries/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    .target(name: "Support", path: "Tests/Support", swiftSettings: strict),
    tests("HTTP", ["HTTP", "Text", "Support"]),
    tests("HTTPServer", ["HTTPServer", "HTTP", "Text", "Platform", "Gzip", "Crypto", "Support"]),
    tests("Access", ["Access", "HTTP", "Text", "Platform"]),
    tests(
      "API",
      [
        "API", "HTTP", "Support", "JobStore", "JobModel", "SweepRunner", "Recipe", "JSONText", "Text",
        "RunFolder", "SharedWork",
        "Platform",
      ]),
    tests("JobModel", ["JobModel", "Recipe", "JSONText", "Text", "Support"]),
    tests("JSONText", ["JSONText", "Text"]),
    tests(
      "Sweeps", ["Sweeps", "JSONText", "Text", "Platform"], resources: [.copy("Golden")],
      settings: strict + [fast]),
    tests("Recipe", ["Recipe", "JSONText", "Text"]),
    tests("JobStore", ["JobStore", "JobModel", "Recipe", "JSONText", "Text", "SQLite", "Platform"]),
    tests(
      "SweepRunner",
      ["SweepRunner", "Sweeps", "JobStore", "JobModel", "Recipe", "JSONText", "Text", "Platform"]),
    tests("RunFolder", ["RunFolder", "JobModel", "Recipe", "JSONText", "Text", "Platform"]),
    tests(
      "Dispatcher",
      ["Dispatcher", "RunFolder", "JobStore", "JobModel", "Recipe", "SQLite", "Platform", "Support"]),
    tests(
      "Training",
      [
        "Training", "Datasets", "NeuralNet", "Kernels", "Parallel", "Tensors", "TensorElements", "Recipe",
        "JSONText", "Text", "Gzip", "Platform",
      ], resources: [.copy("Golden")]),
    tests(
      "Datasets",
      ["Datasets", "Recipe", "JSONText", "Tensors", "Parallel", "Gzip", "Crypto", "Platform", "Text"],
      resources: [.copy("Golden")]),
    tests(
      "Importing",
      [
        "Importing", "Datasets", "Gzip", "Images", "JSONText", "Parallel", "Platform", "Recipe", "Support",
        "Text",
      ]),
    tests(
      "NeuralNet", ["NeuralNet", "Recipe", "JSONText", "Kernels", "Tensors", "Parallel"],
      resources: [.copy("Golden")],
      settings: strict + [fast]),
    tests("Benchmarks", ["Benchmarks", "Kernels", "NeuralNet", "Parallel", "Recipe", "Tensors"]),
    tests(
      "Kernels", ["Kernels", "Tensors", "TensorElements", "Parallel", "Platform"], settings: strict + [fast]),
    tests("System", ["Platform", "Gzip", "Crypto", "Logging", "Text", "SharedWork"]),
    tests("Images", ["Images", "Gzip", "JSONText", "Platform"], resources: [.copy("Golden")]),
    tests("Archives", ["Archives", "Gzip", "Platform", "Support"]),
    tests("Inspector", ["Inspector", "Datasets", "Recipe", "SharedWork", "Platform"]),
    tests("Embedder", ["Embedder", "RunFolder", "JSONText", "SharedWork", "Platform"]),
    tests(
      "Simulation",
      [
        "Dispatcher", "RunFolder", "JobStore", "JobModel", "SweepRunner", "Sweeps", "Recipe", "JSONText",
        "SQLite", "Platform", "Logging", "Support", "Text",
      ]),
    tests("EndToEnd", ["JSONText", "Text", "Platform", "Crypto", "Gzip", "Support"]),
    tests("Allocation", ["Platform"]),
    .executableTarget(
      name: "AllocationProbe",
      dependencies: ["CAllocations", "Training", "Datasets", "Recipe", "Parallel"],
      path: "Tests/AllocationProbe", swiftSettings: strict),
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    // What Scripts/sweeps compares with Optuna.
    .executableTarget(
      name: "SweepAsk", dependencies: ["Sweeps", "JSONText", "Text", "Platform"], path: "Tests/SweepAsk",
      swiftSettings: strict),
    tests("Tidy", []),
  ],
  swiftLanguageModes: [.v6]
)

#if arch(x86_64)
  package.targets += [
    room(
      "KernelsAVX2", in: "Engine", ["KernelsABI", "CPrefetch"],
      settings: strict + [fast, whole, level("x86-64-v3")]),
    room(
      "KernelsAVX512", in: "Engine", ["KernelsABI", "CPrefetch"],
      settings: strict + [
        fast, whole, level("x86-64-v4"), .unsafeFlags(["-Xcc", "-mprefer-vector-width=512"]),
      ]),
  ]
#endif
