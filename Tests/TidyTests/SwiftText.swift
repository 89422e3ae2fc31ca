/// Swift source with comments and string contents blanked, so that a search sees code only. Lines and columns
/// stay.
struct SwiftText {
  /// UTF-8 of the same length as the source.
  let code: [UInt8]

  init(_ source: String) {
    let bytes = Array(source.utf8)
    var masker = Masker(bytes: bytes, masked: bytes)
    masker.run()
    code = masker.masked
  }

  /// The masked code as lines.
  var lines: [String] {
    code.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// The modules that `import` statements name, with their 1-based lines.
  var imports: [(line: Int, module: String)] {
    var found: [(line: Int, module: String)] = []
    for (index, line) in lines.enumerated() {
      let words = line.split(whereSeparator: { $0 == " " })
      guard let position = words.firstIndex(of: "import"),
        words[..<position].allSatisfy({ $0.hasPrefix("@") || Self.accessWords.contains($0) }),
        var module = words.dropFirst(position + 1).first
      else { continue }
      if Self.kindWords.contains(module), let next = words.dropFirst(position + 2).first { module = next }
      found.append((index + 1, String(module.prefix { $0 != "." && $0 != ";" })))
    }
    return found
  }

  private static let accessWords: Set<Substring> = [
    "public", "package", "internal", "private", "fileprivate",
  ]
  private static let kindWords: Set<Substring> = [
    "func", "struct", "class", "enum", "protocol", "typealias", "var", "let",
  ]
}

/// Walks over source bytes once and blanks what is not code.
private struct Masker {
  let bytes: [UInt8]
  var masked: [UInt8]
  var position = 0

  mutating func run() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"): skipLineComment()
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): skipBlockComment()
      case UInt8(ascii: "\""): skipString(hashes: 0)
      case UInt8(ascii: "#"): skipRawStringOrHashes()
      default: position += 1
      }
    }
  }

  private func peek(_ distance: Int) -> UInt8? {
    position + distance < bytes.count ? bytes[position + distance] : nil
  }

  private mutating func blank(_ count: Int) {
    for index in position..<min(position + count, bytes.count) where bytes[index] != UInt8(ascii: "\n") {
      masked[index] = UInt8(ascii: " ")
    }
    position = min(position + count, bytes.count)
  }

  private mutating func skipLineComment() {
    while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank(1) }
  }

  private mutating func skipBlockComment() {
    var depth = 0
    repeat {
      if bytes[position] == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
        depth += 1
        blank(2)
      } else if bytes[position] == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
        depth -= 1
        blank(2)
      } else {
        blank(1)
      }
    } while depth > 0 && position < bytes.count
  }

  private mutating func skipRawStringOrHashes() {
    var hashes = 0
    while peek(hashes) == UInt8(ascii: "#") { hashes += 1 }
    if peek(hashes) == UInt8(ascii: "\"") {
      position += hashes
      skipString(hashes: hashes)
    } else {
      position += hashes
    }
  }

  private func hashesFollow(_ distance: Int, _ hashes: Int) -> Bool {
    (0..<hashes).allSatisfy { peek(distance + $0) == UInt8(ascii: "#") }
  }

  /// `position` is at the opening quote; the quotes themselves stay visible.
  private mutating func skipString(hashes: Int) {
    let quote = UInt8(ascii: "\"")
    let quotes = peek(1) == quote && peek(2) == quote ? 3 : 1
    position += quotes
    while position < bytes.count {
      if bytes[position] == UInt8(ascii: "\\"), hashesFollow(1, hashes) {
        if peek(1 + hashes) == UInt8(ascii: "(") {
          blank(2 + hashes)
          skipInterpolation()
        } else {
          blank(2 + hashes)
        }
      } else if (0..<quotes).allSatisfy({ peek($0) == quote }), hashesFollow(quotes, hashes) {
        position += quotes + hashes
        return
      } else {
        blank(1)
      }
    }
  }

  /// `position` is behind the opening parenthesis of an interpolation.
  private mutating func skipInterpolation() {
    var depth = 1
    while position < bytes.count, depth > 0 {
      switch bytes[position] {
      case UInt8(ascii: "("): depth += 1
      case UInt8(ascii: ")"): depth -= 1
      case UInt8(ascii: "\""):
        skipString(hashes: 0)
        continue
      default: break
      }
      blank(1)
    }
  }
}
