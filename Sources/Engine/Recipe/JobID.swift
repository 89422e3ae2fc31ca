import Text

/// The id of a job: 16 lower-case characters of Crockford's base 32, of which the first ten are the time in
/// milliseconds, so that ids sort by age.
package struct JobID: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let text: String

  /// Takes an id from a request or a row; `nil` if it has not the form of one.
  package init?(_ text: ByteString) {
    guard text.count == 16, text.bytes.allSatisfy({ JobID.isDigit[Int($0)] }) else { return nil }
    self.text = text.string
  }

  /// Takes an id from a row or a file.
  package init?(_ text: String) { self.init(ByteString(text)) }

  /// A new id from a clock reading and 30 random bits.
  package init(unixMilliseconds: UInt64, random: UInt32) {
    var bytes: [UInt8] = []
    for shift in stride(from: 45, through: 0, by: -5) {
      bytes.append(JobID.alphabet[Int(unixMilliseconds >> UInt64(shift) & 31)])
    }
    for shift in stride(from: 25, through: 0, by: -5) {
      bytes.append(JobID.alphabet[Int(random >> UInt32(shift) & 31)])
    }
    self.text = String(decoding: bytes, as: UTF8.self)
  }

  /// When it was given.
  package var unixMilliseconds: Int {
    text.utf8.prefix(10).reduce(0) { $0 << 5 | (JobID.alphabet.firstIndex(of: $1) ?? 0) }
  }

  package var description: String { text }

  package static func < (a: JobID, b: JobID) -> Bool { a.text < b.text }

  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
  /// For each byte whether it is in the alphabet.
  private static let isDigit = (UInt8.min...UInt8.max).map(alphabet.contains)
}
