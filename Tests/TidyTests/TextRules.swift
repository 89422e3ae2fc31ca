/// What can be said of a file line by line.
enum TextRules {
  /// Lines of a file of code; 80–300 is the aim.
  static let codeLinesMax = 400
  /// Lines of any other file, such as a script or a page.
  static let linesMax = 500
  static let columnsMax = 110

  /// Length of the file and of its lines, marks of unfinished work, paths of somebody's machine.
  static func problems(in file: SourceFile) -> [String] {
    let lines = file.lines
    var problems: [String] = []
    let isCode = ["swift", "js", "css", "sql"].contains { file.path.hasSuffix(".\($0)") }
    let linesMax = isCode ? codeLinesMax : linesMax
    if lines.count > linesMax {
      problems.append("\(file.path): \(lines.count) lines, at most \(linesMax)")
    }
    for (index, line) in lines.enumerated() {
      let place = "\(file.path):\(index + 1)"
      if isCode, line.count > columnsMax {
        problems.append("\(place): \(line.count) columns, at most \(columnsMax)")
      }
      for mark in unfinished where line.contains(mark) {
        problems.append("\(place): says \(mark)")
      }
      for path in machinePaths where line.contains(path) {
        problems.append("\(place): names the machine path \(path)")
      }
      if line.hasSuffix(" ") || line.contains("\t") && !file.path.hasSuffix("Makefile") {
        problems.append("\(place): tab, or space at the end of the line")
      }
    }
    return problems
  }

  /// Force unwraps, forced casts and forced tries in Swift code.
  static func forced(in file: SourceFile) -> [String] {
    SwiftText(file.text).lines.enumerated().compactMap { index, line in
      forces(line) ? "\(file.path):\(index + 1): forces what can fail (`!`)" : nil
    }
  }

  /// A `!` that follows a name, a bracket or `try`/`as` forces; `!x` negates and `!=` compares.
  private static func forces(_ line: String) -> Bool {
    let bytes = Array(line.utf8)
    return bytes.indices.dropFirst().contains { index in
      guard bytes[index] == UInt8(ascii: "!") else { return false }
      let before = bytes[index - 1]
      let isOperand =
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= before || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= before
        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= before || ")]>?_`\"".utf8.contains(before)
      let compares = index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "=")
      return isOperand && !compares
    }
  }

  // Put together, so that this file does not accuse itself.
  private static let unfinished = ["TO" + "DO", "FIX" + "ME"]
  private static let machinePaths = [
    "/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/Us" + "ers/", "/opt/ref" + "venv",
  ]
}
