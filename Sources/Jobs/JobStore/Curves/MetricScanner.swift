import JSONText

/// Takes the numbers out of a metric line. Ingestion reads a hundred thousand lines a second, so the usual
/// line, an object of numbers and short texts, is scanned without making values of it; any other is parsed.
enum MetricScanner {
  /// Members of a metric line that are not metrics.
  private static let otherKeys: Set<String> = ["event", "step", "epoch", "time"]
  /// The names of metrics have no more bytes.
  static let keyBytesMax = 64

  /// Whether a member may be a metric: 1 to 64 of a-z, 0-9 and _, and none of the other members.
  static func isMetric(_ key: String) -> Bool {
    (1...keyBytesMax).contains(key.utf8.count) && !otherKeys.contains(key)
      && key.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
      }
  }

  /// Names that are looked for: a member with another one is passed over without being read.
  struct Keys: Sendable {
    private let names: [[UInt8]]

    init(_ names: Set<String>) { self.names = names.map { Array($0.utf8) } }

    /// Whether part of a line is one of them.
    func contain(_ key: ArraySlice<UInt8>) -> Bool {
      names.contains { $0.count == key.count && $0.elementsEqual(key) }
    }
  }

  /// Calls `take` with each member that is a number, or `null`: a value that is not finite, given as NaN.
  ///
  /// - Parameter keys: the members that are wanted; `nil`: all.
  static func numbers(of line: String, _ keys: Keys? = nil, _ take: (String, Double) -> Void) {
    let bytes = Array(line.utf8)
    var found: [(String, Double)] = []
    if scan(bytes, keys, into: &found) {
      for (key, value) in found { take(key, value) }
      return
    }
    // A line that is not valid JSON was refused when it was ingested.
    guard let members = (try? JSON.parse(bytes))?.object else { return }
    for (key, value) in members.sorted(by: { $0.key < $1.key }) {
      if let keys, !keys.contain(Array(key.bytes)[...]) { continue }
      if value.isNull {
        take(key.string, .nan)
      } else if let number = value.double {
        take(key.string, number)
      }
    }
  }

  /// Whether the line was of the usual form.
  private static func scan(_ bytes: [UInt8], _ keys: Keys?, into found: inout [(String, Double)]) -> Bool {
    var at = 0
    func next() -> UInt8 { at < bytes.count ? bytes[at] : 0 }
    guard next() == UInt8(ascii: "{") else { return false }
    found.reserveCapacity(16)
    while at + 1 < bytes.count {
      at += 1
      guard let key = text(bytes, &at), next() == UInt8(ascii: ":") else { return false }
      at += 1
      let isWanted = keys?.contain(bytes[key]) ?? true
      switch next() {
      case UInt8(ascii: "\""): guard text(bytes, &at) != nil else { return false }
      case UInt8(ascii: "n"):
        guard bytes[at...].starts(with: Array("null".utf8)) else { return false }
        at += 4
        if isWanted { found.append((String(decoding: bytes[key], as: UTF8.self), .nan)) }
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let start = at
        while isOfNumber(next()) { at += 1 }
        if !isWanted { break }
        guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)) else { return false }
        found.append((String(decoding: bytes[key], as: UTF8.self), value))
      default: return false
      }
      if next() == UInt8(ascii: "}") { return at + 1 == bytes.count }
      if next() != UInt8(ascii: ",") { return false }
    }
    return false
  }

  /// The content of the text that begins here, if it has no escapes; goes behind it.
  private static func text(_ bytes: [UInt8], _ at: inout Int) -> Range<Int>? {
    guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { return nil }
    let start = at + 1
    at = start
    while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
      if bytes[at] == UInt8(ascii: "\\") { return nil }
      at += 1
    }
    guard at < bytes.count else { return nil }
    at += 1
    return start..<(at - 1)
  }

  private static func isOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }
}
