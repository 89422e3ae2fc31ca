/// Every operation of `Compute` names the test or the golden file that checks it.
///
/// The line `Reference:` ends the operation's documentation and has one or more names in backquotes: the
/// sentence of a test, or a file's path below `Tests/`.
struct ContractRules {
  static let folder = "Sources/Engine/Kernels/"
  /// Types whose functions are operations: `Compute`, and what is planned once and then run.
  static let operations: Set = [
    "Compute", "MatrixProduct", "Convolution", "StemConvolution", "CholeskyFactor", "Standardization",
  ]
  /// Functions of these types that are no operations, each with its reason.
  static let others = [
    "allocate": "takes memory", "measured": "takes the time of an operation",
    "fusesEpilogue": "says how an operation will be computed", "multiplyAtPeak": "is a measurement",
  ]

  /// Sentences of all tests, and paths of their files below `Tests/`.
  let names: Set<String>

  init(tests: [SourceFile]) {
    var names: Set<String> = []
    for file in tests {
      names.insert(String(file.path.dropFirst("Tests/".count)))
      for line in file.lines {
        guard let start = line.range(of: "func `")?.upperBound,
          let end = line[start...].firstIndex(of: "`")
        else { continue }
        names.insert(String(line[start..<end]))
      }
    }
    self.names = names
  }

  /// Operations of a file without a reference, and references that do not exist.
  func problems(in file: SourceFile) -> [String] {
    guard file.path.hasPrefix(Self.folder) else { return [] }
    var owner: Substring = ""
    var comment: [Substring] = []
    var problems: [String] = []
    for (index, line) in file.lines.enumerated() {
      let words = line.split(separator: " ")
      let text = line.drop { $0 == " " }
      if text.hasPrefix("///") {
        comment.append(text.dropFirst(3))
        continue
      }
      if line.first != " ", let place = words.firstIndex(where: { Self.types.contains($0) }) {
        owner = words.dropFirst(place + 1).first?.prefix { $0.isLetter } ?? ""
      }
      if line.hasPrefix("  package func "), Self.operations.contains(String(owner)) {
        let name = line.dropFirst("  package func ".count).prefix { $0.isLetter }
        if Self.others[String(name)] == nil {
          problems += missing(in: comment).map { "\(file.path):\(index + 1): \(name): \($0)" }
        }
      }
      if !text.hasPrefix("@") { comment = [] }
    }
    return problems
  }

  private static let types: Set<Substring> = ["extension", "struct", "class", "enum", "protocol"]

  /// What a documentation comment lacks.
  private func missing(in comment: [Substring]) -> [String] {
    guard let start = comment.firstIndex(where: { $0.hasPrefix(" Reference: ") }) else {
      return ["has no line `Reference:`"]
    }
    let parts = comment[start...].joined().split(separator: "`", omittingEmptySubsequences: false)
    let references = parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
    if references.isEmpty { return ["its reference has no name in backquotes"] }
    return references.filter { !names.contains($0) }.map { "there is no test or file \($0)" }
  }
}
