/// UTF-8 text that came from outside: compared, hashed, ordered and taken apart byte by byte.
///
/// `String` compares by canonical equivalence, which normalises both sides: two keys that look the same but
/// differ in their bytes are one key, and a run of combining marks costs time quadratic in its length
/// (Unicode Standard Annex #15). Header fields, query parameters, JSON keys and names are sequences of bytes,
/// and every operation here takes time linear in their number.
///
///     let field: ByteString = "Keep-Alive"
///     field.equalsIgnoringCase("keep-alive")  // true: ASCII letters only
///     field.split(0x2D)                       // ["Keep", "Alive"]
///
/// Every request compares and hashes dozens of them: what does that is inlined into other modules
/// (`@usableFromInline` lets it, which `@inlinable` alone does not for a `package` type).
@usableFromInline
package struct ByteString: Sendable {
  /// The text, to be shown to people, written into an answer or stored. Compare `ByteString`s, not this.
  @usableFromInline package let string: String

  /// Keeps the bytes of a text.
  @inlinable
  package init(_ text: String) { string = text }

  /// Keeps the bytes of a part of a text.
  package init(_ text: Substring) { string = String(text) }

  /// Decodes bytes; each maximal part that is not UTF-8 becomes U+FFFD.
  package init(decoding bytes: some Collection<UInt8>) { string = String(decoding: bytes, as: UTF8.self) }

  /// The text of valid UTF-8; nil for other bytes.
  package init?(validating bytes: some Sequence<UInt8>) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    string = text
  }

  /// The bytes.
  @inlinable package var bytes: String.UTF8View { string.utf8 }

  /// Gives the bytes as one piece of memory. (`String` has them so, unless it was made by Foundation.)
  @inlinable
  func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    string.utf8.withContiguousStorageIfAvailable(body) ?? Array(string.utf8).withUnsafeBufferPointer(body)
  }

  /// Number of bytes.
  @inlinable package var count: Int { string.utf8.count }

  /// The first eight bytes as one number, with zeros for those that are missing. It orders texts like `<`,
  /// unless it is the same for both.
  @inlinable package var leading: UInt64 {
    withBytes { bytes in
      var (value, shift) = (UInt64(0), UInt64(64))
      for byte in bytes.prefix(8) {
        shift -= 8
        value |= UInt64(byte) << shift
      }
      return value
    }
  }

  @inlinable package var isEmpty: Bool { string.utf8.isEmpty }

  /// Number of characters (Unicode scalars), as JSON Schema counts a text's length.
  package var charactersCount: Int { string.unicodeScalars.count }
}

extension ByteString: Hashable, Comparable {
  @inlinable
  package static func == (one: ByteString, other: ByteString) -> Bool {
    one.count == other.count && one.withBytes { a in other.withBytes { b in a.elementsEqual(b) } }
  }

  /// By the value of the first byte that differs, which is the order of the Unicode scalars; a prefix comes
  /// first.
  @inlinable
  package static func < (one: ByteString, other: ByteString) -> Bool {
    one.withBytes { a in other.withBytes { b in a.lexicographicallyPrecedes(b) } }
  }

  @inlinable
  package func hash(into hasher: inout Hasher) {
    withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    // No text has this byte: it keeps two texts apart from two others with the same bytes in a row.
    hasher.combine(UInt8.max)
  }
}

extension ByteString: ExpressibleByStringLiteral, CustomStringConvertible {
  @inlinable
  package init(stringLiteral value: String) { self.init(value) }
  @usableFromInline package var description: String { string }
}

extension ByteString {
  /// Whether two texts are the same but for the case of ASCII letters (RFC 9110, section 5.1).
  @inlinable
  package func equalsIgnoringCase(_ other: ByteString) -> Bool {
    count == other.count
      && withBytes { a in
        other.withBytes { b in
          zip(a, b).allSatisfy { $0 == $1 || asciiLowercase($0) == asciiLowercase($1) }
        }
      }
  }

  /// The text with ASCII letters in lower case and all other bytes unchanged.
  package var lowercasedASCII: ByteString {
    bytes.contains { asciiLowercase($0) != $0 } ? ByteString(decoding: bytes.map(asciiLowercase)) : self
  }

  /// Whether every byte meets a condition.
  @inlinable
  package func allSatisfy(_ isFit: (UInt8) -> Bool) -> Bool { withBytes { $0.allSatisfy(isFit) } }

  /// Whether the text begins with these bytes.
  package func hasPrefix(_ prefix: ByteString) -> Bool { bytes.starts(with: prefix.bytes) }

  /// Whether the text ends with these bytes.
  package func hasSuffix(_ suffix: ByteString) -> Bool {
    count >= suffix.count && bytes.suffix(suffix.count).elementsEqual(suffix.bytes)
  }

  /// The parts between occurrences of an ASCII byte.
  package func split(
    _ separator: UInt8, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
  ) -> [ByteString] {
    bytes.split(
      separator: separator, maxSplits: maxSplits, omittingEmptySubsequences: omittingEmptySubsequences
    ).map { ByteString(Substring($0)) }
  }

  /// What stands before the first occurrence of an ASCII byte, and what stands after it; nil where there is
  /// none.
  package func divided(at separator: UInt8) -> (before: ByteString, after: ByteString?) {
    guard let place = bytes.firstIndex(of: separator) else { return (self, nil) }
    return (ByteString(Substring(bytes[..<place])), dropped(through: place))
  }

  /// The text without so many bytes at its front; these must be whole characters.
  package func dropFirst(_ bytesCount: Int) -> ByteString {
    ByteString(Substring(bytes.dropFirst(bytesCount)))
  }

  /// The text without the ASCII bytes that meet a condition.
  package func removing(_ isRemoved: (UInt8) -> Bool) -> ByteString {
    bytes.contains(where: isRemoved) ? ByteString(decoding: bytes.filter { !isRemoved($0) }) : self
  }

  /// The number that one or more ASCII digits stand for, with or without a sign before them; nil for anything
  /// else and for what does not fit.
  package var integer: Int? { Int(string) }

  private func dropped(through place: String.Index) -> ByteString {
    ByteString(Substring(bytes[place...].dropFirst()))
  }

  /// The text without spaces and tabs at either end (OWS; RFC 9110, section 5.6.3).
  package var trimmed: ByteString {
    let rest = bytes.drop { $0 == 0x20 || $0 == 0x09 }
    guard let last = rest.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else { return "" }
    return ByteString(Substring(rest[...last]))
  }

  /// At most that many bytes from the front, cut between characters (Unicode scalars) and followed by `…` if
  /// anything is missing.
  package func shortened(toBytes bytesMax: Int) -> String {
    guard count > bytesMax else { return string }
    var end = bytes.index(bytes.startIndex, offsetBy: bytesMax)
    // A byte 10xxxxxx continues a character.
    while end > bytes.startIndex, bytes[end] & 0xC0 == 0x80 { end = bytes.index(before: end) }
    return "\(Substring(bytes[..<end]))…"
  }
}

extension Sequence<ByteString> {
  /// The texts one after the other, with the separator between them.
  package func joined(separator: String) -> ByteString {
    ByteString(map(\.string).joined(separator: separator))
  }
}

/// The lower-case form of an ASCII letter; any other byte as it is.
@inlinable
func asciiLowercase(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
