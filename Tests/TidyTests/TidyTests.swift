import Testing

/// The tree as it stands, under the rules of this folder. Each rule is itself tested in `RuleTests`.
@Suite struct TidyTests {
  let tree = SourceTree()

  private func expectNone(_ problems: [String]) {
    #expect(problems.isEmpty, Comment(rawValue: "\n" + problems.joined(separator: "\n")))
  }

  /// The files that a target has through a link `Shared` in its folder, under that path.
  private func linked(_ files: [SourceFile], _ table: PackageTable) -> [SourceFile] {
    let source = "Sources/Engine/KernelsShared"
    return table.targets.filter { tree.names(in: $0.path).contains("Shared") }.flatMap { target in
      files.filter { $0.path.hasPrefix("\(source)/") }.map { file in
        SourceFile(path: "\(target.path)/Shared\(file.path.dropFirst(source.count))", text: file.text)
      }
    }
  }

  @Test func `imports follow the flow, and Package.swift agrees with them`() throws {
    let table = PackageTable(manifest: try tree.file("Package.swift").text)
    try #require(table.targets.count > 20, "Package.swift was not understood")
    let files = try tree.swiftFiles()
    expectNone(ImportRules(table: table, files: files + linked(files, table)).problems)
  }

  @Test func `every target's folder is in the table and every Swift file in a target`() throws {
    let table = PackageTable(manifest: try tree.file("Package.swift").text)
    let files = try tree.swiftFiles().map(\.path).filter { !$0.contains("Shared/") }
    expectNone(files.filter { table.target(ofFile: $0) == nil }.map { "\($0): belongs to no target" })
    expectNone(
      table.targets.filter { tree.names(in: $0.path).isEmpty }.map { "\($0.path): empty or not there" })
  }

  @Test func `files and lines are short, finished and name no machine`() throws {
    expectNone(try tree.writtenFiles().flatMap(TextRules.problems))
  }

  @Test func `nothing that can fail is forced`() throws {
    expectNone(try tree.swiftFiles().flatMap(TextRules.forced))
  }

  @Test func `libc is called in Platform, the C wrappers and the kernels only`() throws {
    let fenced = [
      "Sources/System/Platform/", "Sources/System/Gzip/", "Sources/System/Crypto/", "Sources/Jobs/SQLite/",
      "Sources/System/Archives/",
    ]
    let files = try tree.swiftFiles(below: ["Sources"]).filter { file in
      !fenced.contains { file.path.hasPrefix($0) } && !file.path.hasPrefix("Sources/Engine/Kernels")
    }
    expectNone(files.flatMap(LibcCalls.problems))
  }

  @Test func `every declaration that others see is documented, every function fits a screen`() throws {
    expectNone(DeclarationRules.problems(in: try tree.swiftFiles(below: ["Sources"])))
  }

  @Test func `text from outside is compared as bytes`() throws {
    let files = try tree.swiftFiles(below: OutsideTextRules.folders)
    expectNone(files.flatMap(OutsideTextRules.problems))
    let paths = Set(files.map(\.path))
    let named = Array(OutsideTextRules.holders.keys) + OutsideTextRules.exceptions.keys
    expectNone(named.filter { !paths.contains($0) }.map { "\($0): has a rule of its own, and is not there" })
  }

  @Test func `no layer or loss has an element loop of its own`() throws {
    let files = try tree.swiftFiles(below: ["Sources/Engine/NeuralNet"])
    expectNone(
      files.flatMap(ElementRules.problems)
        + ElementRules.problems(manifest: try tree.file("Package.swift").text))
    let paths = Set(files.map(\.path))
    expectNone(
      ElementRules.onHost.keys.filter { !paths.contains($0) }.map { "\($0): is listed, and is not there" })
  }

  @Test func `every operation of Compute names what checks it`() throws {
    let tests = try tree.files(below: ["Tests"], extensions: ["swift", "json"])
      .filter { !$0.path.hasPrefix("Tests/TidyTests/") }
    let rules = ContractRules(tests: tests)
    expectNone(try tree.swiftFiles(below: ["Sources/Engine/Kernels"]).flatMap(rules.problems))
  }

  @Test func `migrations are numbered without a gap`() {
    expectNone(MigrationRules.problems(names: tree.names(in: "migrations")))
  }
}
