import Testing

private func source(_ text: String, path: String = "Sources/A/A.swift") -> SourceFile {
  SourceFile(path: path, text: text)
}

@Suite struct ImportRuleTests {
  private let manifest = """
    let package = Package(
      name: "p",  // targets: [ is also said here
      targets: [
        .executableTarget(name: "tool", dependencies: ["API"], path: "Sources/tool"),
        room("API", in: "Web", ["HTTP", "HTTPServer"]),
        room("HTTPServer", in: "Web", settings: strict),
        room("JobModel", in: "Jobs"),
        room("Training", in: "Engine", ["JobModel", "CZlib"], settings: safe + [fast]),
        room("NeuralNet", in: "Engine", ["Training"]),
        room("Recipe", in: "Engine", ["JSONText"]),
        .target(name: "JSONText", path: "Sources/System/JSON"),
        room("Dispatcher", in: "Workers", ["NeuralNet"]),
        room("Gzip", in: "System", ["CZlib"]),
        .systemLibrary(name: "CZlib", path: "Sources/CLibraries/CZlib", providers: [.apt(["zlib1g-dev"])]),
        tests("Training", ["Training"]),
      ]
    )
    let more: [Target.Dependency] = ["Gzip"]
    package.targets += [room("Kernels", in: "Engine", ["CZlib"] + more)]
    """
  private var table: PackageTable { PackageTable(manifest: manifest) }

  private func problems(_ files: [String: String]) -> [String] {
    ImportRules(table: table, files: files.map { source($0.value, path: $0.key) }).problems
  }

  @Test func `reads names, folders and dependencies from a manifest`() throws {
    #expect(table.targets.count == 13)
    let training = try #require(table["Training"])
    #expect(training.path == "Sources/Engine/Training")
    #expect(training.dependencies == ["JobModel", "CZlib"])
    #expect(table["tool"]?.path == "Sources/tool")
    #expect(table["TrainingTests"]?.path == "Tests/TrainingTests")
    #expect(table["Kernels"]?.dependencies == ["CZlib", "Gzip"])
    #expect(table["CZlib"]?.isSystemLibrary == true)
    #expect(table.closure(of: "NeuralNet") == ["Training", "JobModel", "CZlib"])
  }

  @Test func `finds an import against the flow`() {
    let found = problems([
      "Sources/Engine/NeuralNet/N.swift": "@preconcurrency package import struct HTTPServer.X"
    ])
    #expect(found.contains("Sources/Engine/NeuralNet/N.swift:1: NeuralNet must not import HTTPServer"))
  }

  @Test func `lets no part of the engine import JobModel, and Recipe no part of the engine`() {
    let found = problems([
      "Sources/Engine/Training/T.swift": "import JobModel",
      "Sources/Engine/Recipe/R.swift": "import JSONText\nimport Kernels",
    ])
    #expect(found.contains { $0.contains("Training must not import JobModel") })
    #expect(found.contains { $0.contains("Recipe must not import Kernels") })
    #expect(!found.contains { $0.contains("Recipe must not import JSONText") })
  }

  @Test func `finds what the table reaches by way of others`() {
    let found = problems([:])
    #expect(found.contains("Package.swift: Dispatcher must not reach Training"))
    #expect(found.contains("Package.swift: API must not reach HTTPServer"))
  }

  @Test func `finds a second importer of a C library`() {
    let found = problems([
      "Sources/Engine/Training/T.swift": "import CZlib", "Sources/System/Gzip/G.swift": "import CZlib",
    ])
    #expect(found.contains("Package.swift: CZlib has 2 importers: Gzip, Training"))
  }

  @Test func `finds libc outside its fence`() {
    let found = problems([
      "Sources/Web/API/A.swift": "import Glibc", "Sources/System/Gzip/G.swift": "import Glibc",
    ])
    #expect(found.filter { $0.contains("libc belongs") }.count == 1)
  }

  @Test func `finds an import that the table lacks and a dependency that nobody uses`() {
    let found = problems(["Sources/Web/API/A.swift": "import JobModel"])
    #expect(found.contains { $0.contains("JobModel is missing in the dependencies of API") })
    #expect(found.contains("Package.swift: no file of API imports its dependency HTTP"))
  }

  @Test func `finds libc called by way of Foundation`() {
    let found = LibcCalls.problems(
      in: source(
        "import Foundation\nlet a = getenv(\"x\")\nlet b = self.exit(1) // malloc(1)\nGlibc.write(1)"))
    #expect(
      found == ["Sources/A/A.swift:2: calls libc's getenv", "Sources/A/A.swift:4: calls libc's Glibc."])
  }
}

@Suite struct TextRuleTests {
  @Test func `masks comments, strings and interpolations, and keeps lines`() {
    let text = SwiftText("a \"x\\(b(\"y\"))!\" // c!\n/* d /* e */ f! */ g #\"h\\\"# i\n\"\"\"\nj!\n\"\"\" k")
    #expect(!text.lines.joined().contains("!"))
    #expect(text.lines.count == 5)
    #expect(text.lines[1].hasSuffix(" i"))
    #expect(text.lines[4] == "\"\"\" k")
  }

  @Test(arguments: ["a!", "try! f()", "x as! Y", "f()!.g", "a[0]! + 1", "let x: Int!"])
  func `finds a force`(_ code: String) {
    #expect(TextRules.forced(in: source(code)).count == 1)
  }

  @Test(arguments: ["!a", "a != b", "a!=b", "f(!a)", "\"a!\"", "// a!", "#if !os(Linux)"])
  func `lets negation and comparison be`(_ code: String) {
    #expect(TextRules.forced(in: source(code)).isEmpty)
  }

  @Test func `finds a file too long, a line too long, an unfinished mark, a machine path and loose spaces`() {
    func lines(_ count: Int) -> String { String(repeating: "x\n", count: count) }
    #expect(TextRules.problems(in: source(lines(TextRules.codeLinesMax + 1))).count == 1)
    #expect(TextRules.problems(in: source(lines(TextRules.linesMax), path: "Scripts/a.py")).isEmpty)
    #expect(TextRules.problems(in: source(lines(TextRules.linesMax + 1), path: "Scripts/a.py")).count == 1)
    #expect(TextRules.problems(in: source(String(repeating: "x", count: 111))).count == 1)
    #expect(TextRules.problems(in: source("// TO" + "DO: later")).count == 1)
    #expect(TextRules.problems(in: source("cd /ro" + "ot/x")).count == 1)
    #expect(TextRules.problems(in: source("a \nb\tc\n")).count == 2)
    #expect(TextRules.problems(in: source(lines(TextRules.codeLinesMax))).isEmpty)
  }

  @Test func `finds a gap, a repetition and a bad name among migrations`() {
    #expect(MigrationRules.problems(names: ["0001_jobs.sql", "0002_more_jobs.sql"]).isEmpty)
    #expect(MigrationRules.problems(names: ["0001_a.sql", "0003_b.sql"]).count == 1)
    #expect(MigrationRules.problems(names: ["0001_a.sql", "0001_b.sql"]).count == 1)
    #expect(MigrationRules.problems(names: ["0001_A-b.sql"]).count == 1)
  }
}

@Suite struct DeclarationRuleTests {
  @Test(arguments: [
    "struct A {}", "package enum A { case b }", "func f() {}", "var x: Int { 1 }", "protocol P {}",
    "/// A.\nstruct A {\n  func f() {}\n}", "/// A.\nstruct A {\n  enum B { case c }\n}",
    "extension A {\n  var x: Int { 1 }\n}", "/// P.\nprotocol P {\n  func f()\n}",
    "/// A.\nstruct A {\n  package init(text: String) throws {\n  }\n}",
    "/// A.\nstruct A {\n  package init?(_ x: Int) {}\n}",
    "/// A.\n\nfinal class A {}", "/// A.\nfunc a() {\n  b()\n}\nfunc c() {}",
  ])
  func `finds a declaration without documentation`(_ code: String) {
    #expect(DeclarationRules.problems(in: [source(code)]).count >= 1)
  }

  @Test(arguments: [
    "/// A.\n@frozen\nstruct A {\n  var x = 1\n  case y\n  private func f() {}\n}",
    "/// F.\nfunc f() {\n  func g() {}\n  let h = { (x: Int) in struct B {} }\n}",
    "/// A.\nfunc a() { b() }\nfunc c() {}",
    "/// P.\nprotocol P {\n  /// F.\n  func f()\n}\n/// S.\nstruct S: P {\n  func f() {}\n}",
    "extension A: P {\n  func f() {}\n}", "private struct A {\n  func f() {}\n}",
    "/// A.\nstruct A {\n  let f = { x in\n    func g() {}\n    return x\n  }\n  init(x: Int) {}\n}",
    "/// A.\nfinal class A {\n  /// F.\n  class func f(_ x: Int = .init(1)) {}\n}",
  ])
  func `lets documented, private and inner declarations be`(_ code: String) {
    #expect(DeclarationRules.problems(in: [source(code)]) == [])
  }

  @Test func `finds a function that does not fit a screen`() {
    let body = String(repeating: "  a()\n", count: DeclarationRules.functionLinesMax)
    #expect(DeclarationRules.problems(in: [source("/// F.\nfunc f() {\n\(body)}")]).count == 1)
    let shorter = String(repeating: "  a()\n", count: DeclarationRules.functionLinesMax - 2)
    #expect(DeclarationRules.problems(in: [source("/// F.\nfunc f() {\n\(shorter)}")]).isEmpty)
  }
}

@Suite struct OutsideTextRuleTests {
  private func problems(_ text: String, in path: String = "Sources/Web/API/A.swift") -> [String] {
    OutsideTextRules.problems(in: source(text, path: path))
  }

  @Test(arguments: [
    "let a = name.lowercased()", "text.split(separator: \",\")", "known.contains(\"x\")",
    "let state = JobState(rawValue: text)", "texts.flatMap(JobState.init(rawValue:))",
    "var labels: [String: String] = [:]", "let hosts: Set<String>",
    "func f(_ name: String) { if name == other {} }", "func f(_ name: String) { if other == name {} }",
    "func f(name: String?) -> Bool { name != other }", "func f(_ t: Substring) { t.hasPrefix(prefix) }",
    "func f(_ name: String) { known.contains(name) }", "func f(_ name: String) { name.split(x) }",
  ])
  func `finds what compares strings`(text: String) {
    #expect(problems(text).count == 1, "\(problems(text))")
    #expect(problems(text, in: "Sources/Jobs/JobModel/A.swift").count == 1)
    #expect(problems(text, in: "Sources/Engine/A.swift").isEmpty)
    #expect(problems(text, in: "Sources/Web/Access/TokenFile.swift").isEmpty)
  }

  @Test(arguments: [
    "let a = name.lowercasedASCII", "field.split(0x2C)", "name.hasPrefix(\"If-\")",
    "let method = Method(rawValue: \"GET\")", "init?(rawValue: String) {", "// name.lowercased()",
    "let a = \".lowercased()\"",
    "func f(name: String?) { if name != nil {} }", "func f(_ name: String) { if x.name == y {} }",
    "func f(_ name: String) { if name2 == y {} }", "func f(_ name: String) { if y == names {} }",
    "func f(_ name: ByteString) { if name == y {} }", "let limits: [String: Int]",
  ])
  func `leaves what compares bytes`(text: String) {
    #expect(problems(text) == [])
  }

  @Test(arguments: [
    "package var target: String", "  package let name: String?", "package var target = \"\"",
    "package var names: [String] = []",
  ])
  func `finds strings in what holds a request`(text: String) {
    #expect(problems(text, in: "Sources/Web/HTTP/Request.swift").count == 1)
    #expect(problems(text) == [])
  }

  @Test(arguments: [
    "package var peer = \"\"", "package var text: String { bytes }", "package var target: ByteString = \"\"",
  ])
  func `leaves members that are made here`(text: String) {
    #expect(problems(text, in: "Sources/Web/HTTP/Request.swift") == [])
  }
}

@Suite struct ElementRuleTests {
  @Test(arguments: [
    "import TensorElements", "let x = floats.pointer", "var sums: [Double] = []", "func f(_ x: [Float]) {}",
  ])
  func `finds what reaches elements in a layer`(text: String) {
    let layer = ElementRules.folder + "Layers/Linear.swift"
    #expect(ElementRules.problems(in: source(text, path: layer)).count == 1)
    #expect(ElementRules.problems(in: source(text, path: "Sources/Engine/Training/T.swift")).isEmpty)
    for path in ElementRules.onHost.keys {
      #expect(ElementRules.problems(in: source(text, path: path)).isEmpty)
    }
  }

  @Test func `finds a manifest that lets a layer see what it does not import`() {
    let setting = "let ownImports: SwiftSetting = .enableUpcomingFeature(\"MemberImportVisibility\")\n"
    let target = "room(\"NeuralNet\", in: \"Engine\", [], settings: safe + [fast, ownImports])"
    #expect(ElementRules.problems(manifest: setting + target).isEmpty)
    #expect(ElementRules.problems(manifest: target).count == 1)
    #expect(ElementRules.problems(manifest: setting + "room(\"NeuralNet\", in: \"Engine\", [])").count == 1)
  }
}

@Suite struct ContractRuleTests {
  private let rules = ContractRules(tests: [
    source("  @Test func `adds up`() {}", path: "Tests/KernelsTests/A.swift"),
    source("{}", path: "Tests/KernelsTests/Golden/a.json"),
  ])

  private func problems(_ comment: String, owner: String = "extension Compute", name: String = "f") -> Int {
    let text = "\(owner) {\n\(comment)\n  package func \(name)() {}\n}"
    return rules.problems(in: source(text, path: ContractRules.folder + "A.swift")).count
  }

  @Test(arguments: [
    "", "  /// Adds.", "  /// Reference: adds up", "  /// Reference: `adds down`",
    "  /// Reference: `adds up`,\n  /// `adds down`", "  /// Reference: `adds up`\n",
  ])
  func `finds an operation that nothing checks`(comment: String) {
    #expect(problems(comment) == 1)
    #expect(problems(comment, owner: "package struct Convolution") == 1)
    #expect(problems(comment, owner: "package struct PoolWindow") == 0)
    #expect(problems(comment, name: "allocate") == 0)
  }

  @Test(arguments: [
    "  /// Adds.\n  ///\n  /// Reference: `adds up`",
    "  /// Reference: `KernelsTests/Golden/a.json`,\n  /// `adds up`",
    "  /// Reference: `adds up`\n  @inlinable",
  ])
  func `leaves one whose reference exists`(comment: String) {
    #expect(problems(comment) == 0)
  }
}
