/// Who may import whom: the list of the design, and the agreement of `Package.swift` with the sources.
struct ImportRules {
  struct Use: Hashable {
    /// Path of the importing file, with line.
    let place: String
    /// The importing target.
    let target: String
    let module: String
  }
  let table: PackageTable
  let uses: [Use]

  init(table: PackageTable, files: [SourceFile]) {
    self.table = table
    uses = files.flatMap { file -> [Use] in
      guard let target = table.target(ofFile: file.path) else { return [] }
      return SwiftText(file.text).imports.map {
        Use(place: "\(file.path):\($0.line)", target: target.name, module: $0.module)
      }
    }
  }

  /// Every breach, each as a sentence that begins with its place.
  var problems: [String] {
    forbiddenDirections + forbiddenReach + strangersToC + strangersToLibc + missingInTable + idleInTable
  }

  /// The first folder below `Sources/`: the step of the flow that a target belongs to.
  private func step(of target: String) -> String? {
    guard let path = table[target]?.path, path.hasPrefix("Sources/") else { return nil }
    return path.split(separator: "/").dropFirst().first.map(String.init)
  }

  private var products: [PackageTable.Target] { table.targets.filter { $0.path.hasPrefix("Sources/") } }

  private func isForbidden(_ target: String, _ module: String) -> Bool {
    if step(of: target) == "Engine", let other = step(of: module) {
      // What determines a training stands below the engine: the jobs and the daemon know it as well.
      if target == "Recipe" { return other != "System" }
      return ["Web", "Jobs", "Workers"].contains(other)
    }
    if step(of: target) == "System", let other = step(of: module) {
      return !["System", "CLibraries"].contains(other)
    }
    return Self.strangers.contains([target, module])
  }

  private static let strangers: Set<[String]> = [
    ["API", "HTTPServer"], ["Dispatcher", "Training"], ["Training", "Dispatcher"],
  ]

  private var forbiddenDirections: [String] {
    uses.filter { isForbidden($0.target, $0.module) }.map {
      "\($0.place): \($0.target) must not import \($0.module)"
    }
  }

  /// What the table lets a target reach by way of others.
  private var forbiddenReach: [String] {
    products.flatMap { target in
      table.closure(of: target.name).sorted()
        .filter { isForbidden(target.name, $0) }
        .map { "Package.swift: \(target.name) must not reach \($0)" }
    }
  }

  private var strangersToC: [String] {
    products.filter(\.isSystemLibrary).compactMap { library in
      let importers = Set(uses.filter { $0.module == library.name }.map(\.target)).sorted()
      guard importers.count > 1 else { return nil }
      let names = importers.joined(separator: ", ")
      return "Package.swift: \(library.name) has \(importers.count) importers: \(names)"
    }
  }

  private var strangersToLibc: [String] {
    let libc: Set = ["Glibc", "Darwin", "Musl", "Android", "WASILibc"]
    let wrappers = Set(
      products.filter { target in target.dependencies.contains { table[$0]?.isSystemLibrary == true } }.map(
        \.name))
    return uses.filter { use in
      libc.contains(use.module) && use.target != "Platform" && !wrappers.contains(use.target)
        && table[use.target]?.path.hasPrefix("Sources/Engine/Kernels") == false && step(of: use.target) != nil
    }.map { "\($0.place): libc belongs to Platform, the C wrappers and the kernels" }
  }

  private var missingInTable: [String] {
    uses.filter { use in
      table[use.module] != nil && use.module != use.target
        && table[use.target]?.dependencies.contains(use.module) == false
    }.map { "\($0.place): \($0.module) is missing in the dependencies of \($0.target) in Package.swift" }
  }

  /// Dependencies that no file of the product uses. A folder without imports is not judged.
  private var idleInTable: [String] {
    products.flatMap { target -> [String] in
      let used = Set(uses.filter { $0.target == target.name }.map(\.module))
      guard !used.isEmpty else { return [] }
      return target.dependencies.filter { !used.contains($0) }
        .map { "Package.swift: no file of \(target.name) imports its dependency \($0)" }
    }
  }
}
