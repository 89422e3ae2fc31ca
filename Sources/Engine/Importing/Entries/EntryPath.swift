import Text

/// The path of an archive's entry or of a file below a folder, taken apart and checked. It is never used to
/// write anything; it names images, and its folders name classes.
struct EntryPath: Sendable, Hashable {
  /// The names with a slash between any two; none is empty, `.` or `..`.
  let text: ByteString

  /// What a path is.
  enum Reading: Sendable, Equatable {
    case path(EntryPath)
    /// A hidden or system file, of which nobody wants to hear.
    case ignored
    /// A path that is not believed.
    case refused(reason: String)
  }

  /// The names between the slashes.
  var names: [ByteString] { text.split(Self.slash) }
  /// The file's own name.
  var name: ByteString { names.last ?? "" }
  /// The folders above it.
  var folders: ArraySlice<ByteString> { names.dropLast() }

  static let slash: UInt8 = 0x2F
  /// What systems put beside people's files.
  private static let systemNames: Set<ByteString> = ["__macosx", "thumbs.db", "desktop.ini", "@eadir"]
  /// Bytes of the longest path: `PATH_MAX` of Linux.
  private static let bytesMax = 4_096

  /// Reads the bytes of a path.
  ///
  /// - Parameters:
  ///   - bytes: nil: they could not be decoded.
  ///   - nestingMax: names that a path may have.
  static func read(_ bytes: [UInt8]?, nestingMax: Int) -> Reading {
    guard let bytes, let text = ByteString(validating: bytes) else {
      return .refused(reason: "its name is not valid UTF-8")
    }
    if bytes.count > bytesMax { return .refused(reason: "its path has more than \(bytesMax) bytes") }
    if bytes.first == slash { return .refused(reason: "its path is absolute") }
    let names = text.split(slash).filter { $0 != "." }
    if names.contains("..") { return .refused(reason: "its path leads upwards") }
    if names.isEmpty { return .ignored }
    if names.contains(where: isHidden) { return .ignored }
    if !text.isPlain() { return .refused(reason: "its path has control characters") }
    if names.count > nestingMax {
      return .refused(reason: "its path has \(names.count) names; the limit \"nesting\" allows \(nestingMax)")
    }
    return .path(EntryPath(text: names.joined(separator: "/")))
  }

  private static func isHidden(_ name: ByteString) -> Bool {
    name.bytes.first == 0x2E || systemNames.contains(name.lowercasedASCII)
  }

  /// How a path that may be no text is shown.
  static func shown(_ bytes: [UInt8]?) -> String {
    ByteString(decoding: bytes ?? []).shown(charactersMax: 200)
  }
}

/// The order of paths: runs of digits by their value, all else by bytes, and folders before what follows them
/// in the alphabet.
enum NaturalOrder {
  /// Whether one name comes before another; two different ones are never equal.
  static func isBefore(_ a: ByteString, _ b: ByteString) -> Bool {
    isBefore(Array(a.bytes), Array(b.bytes))
  }

  /// Whether the bytes of one path come before those of another.
  static func isBefore(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    switch compare(a, b) {
    case 0: a.lexicographicallyPrecedes(b)
    case let result: result < 0
    }
  }

  /// Negative, zero or positive; zeros before a number do not count.
  private static func compare(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      if isDigit(a[i]), isDigit(b[j]) {
        let (one, other) = (number(a, &i), number(b, &j))
        if one.count != other.count { return one.count - other.count }
        for (x, y) in zip(one, other) where x != y { return Int(x) - Int(y) }
      } else {
        if a[i] != b[j] { return rank(a[i]) - rank(b[j]) }
        i += 1
        j += 1
      }
    }
    return (a.count - i) - (b.count - j)
  }

  /// The digits that begin at an index, without leading zeros; moves the index past them.
  private static func number(_ bytes: [UInt8], _ place: inout Int) -> ArraySlice<UInt8> {
    while place < bytes.count, bytes[place] == 0x30 { place += 1 }
    let start = place
    while place < bytes.count, isDigit(bytes[place]) { place += 1 }
    return bytes[start..<place]
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
  private static func rank(_ byte: UInt8) -> Int { byte == 0x2F ? -1 : Int(byte) }
}
