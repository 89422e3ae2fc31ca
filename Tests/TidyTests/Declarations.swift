/// Finds declarations in Swift code by their keywords, with the scope that each stands in. A heuristic, not a
/// parser: it knows braces, parentheses, modifiers and the words that declare.
struct Declarations {
  struct Declaration {
    /// `func`, `struct`, `var` …
    let keyword: String
    let name: String
    /// 1-based line of the keyword, and of the closing brace of its body, where it has one.
    let line: Int
    var lastLine: Int
    let isPrivate: Bool
    let isOverride: Bool
    let isPackage: Bool
    let isDocumented: Bool
    /// `throws`, or `init?`.
    var canFail = false
    /// What surrounds it: `nil` at the top of a file.
    let owner: Owner?
  }

  struct Owner {
    let isExtension: Bool
    let isProtocol: Bool
    /// It names a protocol, so members may be that protocol's; of an extension, all are.
    var conforms = false
    let isPrivate: Bool
    let index: Int
  }

  private(set) var all: [Declaration] = []

  init(_ file: SourceFile) {
    rawLines = file.lines.map { $0.drop { $0 == " " } }
    let tokens = Self.tokens(SwiftText(file.text).lines)
    for (index, token) in tokens.enumerated() { read(token, index: index, tokens: tokens) }
  }

  private enum Scope {
    case members(Owner)
    case body(of: Int?)
  }
  private let rawLines: [Substring]
  private var scopes: [(scope: Scope, brackets: Int)] = []
  private var brackets = 0
  /// The declaration whose opening brace has not come yet.
  private var pending: Int?

  private static let types: Set<String> = ["struct", "class", "enum", "actor", "protocol", "extension"]
  private static let members: Set<String> = [
    "func", "init", "subscript", "var", "let", "case", "typealias", "associatedtype",
  ]

  private struct Token {
    let text: String
    let line: Int
  }

  private static func tokens(_ lines: [String]) -> [Token] {
    var tokens: [Token] = []
    for (index, line) in lines.enumerated() {
      var word = ""
      for character in line + " " {
        if character.isLetter || character.isNumber || character == "_" || character == "`" {
          word.append(character)
          continue
        }
        if !word.isEmpty { tokens.append(Token(text: word, line: index + 1)) }
        word = ""
        if character != " " { tokens.append(Token(text: String(character), line: index + 1)) }
      }
    }
    return tokens
  }

  private var owner: Owner?? {
    guard let innermost = scopes.last else { return .some(nil) }
    if case .members(let owner) = innermost.scope { return .some(owner) }
    return nil
  }

  private mutating func read(_ token: Token, index: Int, tokens: [Token]) {
    switch token.text {
    case "(", "[": brackets += 1
    case ")", "]": brackets -= 1
    case "{": open()
    case "}": close(line: token.line)
    case ":" where brackets == 0: noteConformance()
    case "throws" where brackets == 0: if let pending { all[pending].canFail = true }
    default: declare(token, index: index, tokens: tokens)
    }
  }

  private mutating func noteConformance() {
    guard let pending, Self.types.contains(all[pending].keyword) else { return }
    conforming.insert(pending)
  }
  private var conforming: Set<Int> = []

  private mutating func open() {
    defer {
      brackets = 0
      pending = nil
    }
    guard brackets == 0, case .some = owner, let pending, Self.types.contains(all[pending].keyword) else {
      let isBody = brackets == 0 && owner != nil
      scopes.append((.body(of: isBody ? pending : nil), brackets))
      return
    }
    let type = all[pending]
    let owner = Owner(
      isExtension: type.keyword == "extension", isProtocol: type.keyword == "protocol",
      conforms: conforming.contains(pending),
      isPrivate: type.isPrivate,
      index: pending)
    scopes.append((.members(owner), brackets))
  }

  private mutating func close(line: Int) {
    guard let scope = scopes.popLast() else { return }
    brackets = scope.brackets
    switch scope.scope {
    case .members(let owner): all[owner.index].lastLine = line
    case .body(of: .some(let index)): all[index].lastLine = line
    case .body(of: nil): break
    }
  }

  private mutating func declare(_ token: Token, index: Int, tokens: [Token]) {
    let isType = Self.types.contains(token.text)
    guard brackets == 0, case .some(let owner) = owner, isType || Self.members.contains(token.text),
      index + 1 < tokens.count, index == 0 || ![".", "`"].contains(tokens[index - 1].text)
    else { return }
    let next = tokens[index + 1].text
    let isModifier = token.text == "class" && ["func", "var", "let"].contains(next)
    guard !isModifier, index == 0 || tokens[index - 1].text != "indirect" || token.text == "enum" else {
      return
    }
    let modifiers = tokens[..<index].reversed().prefix {
      $0.line == token.line && $0.text != "}" && $0.text != "{"
    }
    .map(\.text)
    pending = all.count
    all.append(
      Declaration(
        keyword: token.text, name: next, line: token.line, lastLine: token.line,
        isPrivate: modifiers.contains("private") || modifiers.contains("fileprivate")
          || owner?.isPrivate == true,
        isOverride: modifiers.contains("override"), isPackage: modifiers.contains("package"),
        isDocumented: isDocumented(line: token.line) || continuesGroup(of: owner, line: token.line),
        canFail: token.text == "init" && next == "?", owner: owner))
  }

  /// One-line declarations of a kind that follow a documented one without an empty line share its comment.
  private func continuesGroup(of owner: Owner?, line: Int) -> Bool {
    guard let last = all.last, !Self.types.contains(last.keyword), last.owner?.index == owner?.index
    else { return false }
    return last.line == line - 1 && last.lastLine == last.line && last.isDocumented
  }

  /// A `///` block, or the end of a `/** */` one, stands directly above; attributes may stand between.
  private func isDocumented(line: Int) -> Bool {
    var above = line - 2
    while above >= 0, rawLines[above].hasPrefix("@") || rawLines[above].hasPrefix("#if") { above -= 1 }
    return above >= 0 && (rawLines[above].hasPrefix("///") || rawLines[above].hasSuffix("*/"))
  }
}
