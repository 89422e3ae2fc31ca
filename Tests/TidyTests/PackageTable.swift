import Foundation

/// The target table of `Package.swift`, read as text: a test must not start the package manager that runs it.
struct PackageTable {
  struct Target {
    var name: String
    /// Path from the root, without a final slash.
    var path: String
    var dependencies: [String] = []
    var isSystemLibrary = false
  }
  let targets: [Target]

  init(targets: [Target]) { self.targets = targets }

  /// Reads the calls in the manifest's last `targets:` array and in those that `targets +=` adds to it: the
  /// helpers `room(_:in:_:)` and `tests(_:_:)`, any further helper of those shapes, and SwiftPM's own with
  /// `name:`, `path:` and `dependencies:`. Dependencies may be continued by `+` and a constant's name.
  init(manifest: String) {
    let source = Array(manifest.utf8)
    let code = SwiftText(manifest).code
    let lists = Self.ends(of: "targets: [", in: code).suffix(1) + Self.ends(of: "targets += [", in: code)
    let constants = Self.constants(source: source, code: code)
    targets = lists.flatMap { start in
      Self.elements(of: code, from: start).compactMap { range in
        Self.target(source: source, code: code, range: range, constants: constants)
      }
    }
  }

  /// Where each occurrence of `text` ends.
  private static func ends(of text: String, in code: [UInt8]) -> [Int] {
    let text = Array(text.utf8)
    return code.indices.dropLast(text.count).filter { code[$0...].starts(with: text) }.map { $0 + text.count }
  }

  /// Named lists of dependencies; the first, where a condition chooses between several.
  private static func constants(source: [UInt8], code: [UInt8]) -> [String: [String]] {
    let type = ": [Target.Dependency] = ["
    var constants: [String: [String]] = [:]
    for end in ends(of: type, in: code) {
      let before = String(decoding: code[..<(end - type.utf8.count)], as: UTF8.self)
      guard let name = before.split(whereSeparator: { " \n".contains($0) }).last else { continue }
      guard constants[String(name)] == nil else { continue }
      constants[String(name)] = elements(of: code, from: end).flatMap { literals(source[$0]) }
    }
    return constants
  }

  private static func literals(_ source: ArraySlice<UInt8>) -> [String] {
    String(decoding: source, as: UTF8.self).split(separator: "\"", omittingEmptySubsequences: false)
      .enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }

  subscript(name: String) -> Target? { targets.first { $0.name == name } }

  /// The target whose folder holds the file; the deepest, where folders nest.
  func target(ofFile path: String) -> Target? {
    targets.filter { path.hasPrefix($0.path + "/") }.max { $0.path.utf8.count < $1.path.utf8.count }
  }

  /// Everything that `name` reaches through dependencies, without itself.
  func closure(of name: String) -> Set<String> {
    var reached: Set<String> = []
    var open = self[name]?.dependencies ?? []
    while let next = open.popLast() {
      if reached.insert(next).inserted { open += self[next]?.dependencies ?? [] }
    }
    return reached
  }

  /// Ranges between the commas of a bracketed list, up to its closing bracket.
  private static func elements(of code: [UInt8], from start: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var depth = 0
    var begin = start
    var position = start
    while position < code.count, depth >= 0 {
      switch code[position] {
      case UInt8(ascii: "["), UInt8(ascii: "("), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: ")"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
      if depth < 0 || (depth == 0 && code[position] == UInt8(ascii: ",")) {
        ranges.append(begin..<position)
        begin = position + 1
      }
      position += 1
    }
    return ranges
  }

  private static func target(
    source: [UInt8], code: [UInt8], range: Range<Int>, constants: [String: [String]]
  ) -> Target? {
    func text(_ range: Range<Int>, _ bytes: [UInt8]) -> String {
      String(decoding: bytes[range], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
    guard let open = range.first(where: { code[$0] == UInt8(ascii: "(") }) else { return nil }
    let callee = text(range.lowerBound..<open, code).trimmingCharacters(in: ["."])
    var target = Target(name: "", path: "")
    for argument in elements(of: code, from: open + 1) {
      let value = text(argument, source)
      let colon = argument.first { code[$0] == UInt8(ascii: ":") }
      let label =
        value.first.map { "\"[".contains($0) } == true
        ? "" : colon.map { text(argument.lowerBound..<$0, code) }
      let named = value.split(whereSeparator: { " +\n".contains($0) }).compactMap { constants[String($0)] }
      let strings = literals(source[argument]) + named.joined()
      switch label {
      case "" where value.hasPrefix("["), "dependencies": target.dependencies = strings
      case "" where target.name.isEmpty, "name": target.name = strings.first ?? ""
      case "path": target.path = strings.first ?? ""
      case "in": target.path = "Sources/\(strings.first ?? "")/\(target.name)"
      default: break
      }
    }
    if callee == "tests" {
      target.name += "Tests"
      target.path = "Tests/\(target.name)"
    }
    target.isSystemLibrary = callee == "systemLibrary"
    return target.name.isEmpty ? nil : target
  }
}
