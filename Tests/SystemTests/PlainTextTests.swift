import Testing
import Text

@Suite struct PlainTextTests {
  /// One of each kind, at the ends of the ranges.
  private static let hidden: [UInt32] = [
    0x00, 0x1B, 0x1F, 0x7F, 0x80, 0x85, 0x9F, 0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202E, 0x2066,
    0x2069, 0xFDD0, 0xFDEF, 0xFEFF, 0xFFFE, 0xFFFF,
  ]
  private static let plain: [UInt32] = [
    0x20, 0x7E, 0xA0, 0xE9, 0x0301, 0x061B, 0x200D, 0x2010, 0x2027, 0x202F, 0x2065, 0x206A, 0xFDCF, 0xFDF0,
    0xFEFE, 0xFFFD, 0x1F600,
  ]

  @Test(arguments: hidden)
  func `hidden characters are neither plain nor shown`(value: UInt32) throws {
    let text = ByteString("a\(try #require(Unicode.Scalar(value)))b")
    #expect(!text.isPlain())
    #expect(text.shown == "a\\u{\(String(value, radix: 16, uppercase: true))}b")
    #expect(!text.isPlain(allowsLines: true))
  }

  @Test(arguments: plain)
  func `all others are`(value: UInt32) throws {
    let text = ByteString("a\(try #require(Unicode.Scalar(value)))b")
    #expect(text.isPlain())
    #expect(text.shown == text.string)
  }

  @Test func `lines and tabs are plain where several lines are`() {
    let text: ByteString = "a\n\tb\r\nc"
    #expect(!text.isPlain())
    #expect(text.isPlain(allowsLines: true))
    #expect(text.shown == "a\\u{A}\\u{9}b\\u{D}\\u{A}c")
  }

  @Test func `what is shown is cut between characters`() {
    #expect(ByteString(String(repeating: "é", count: 80)).shown == String(repeating: "é", count: 80))
    #expect(ByteString(String(repeating: "é", count: 81)).shown == String(repeating: "é", count: 80) + "…")
    #expect(ByteString(String(repeating: "\u{301}", count: 9_999)).shown.unicodeScalars.count == 81)
  }

  @Test func `choices are read by their bytes`() {
    enum Word: String, CaseIterable { case cafe = "caf\u{E9}" }
    #expect(Word(bytes: "caf\u{E9}") == .cafe)
    #expect(Word(bytes: "cafe\u{301}") == nil)
    #expect(Word(rawValue: "cafe\u{301}") == .cafe)
  }

  @Test func `texts are divided, shortened and read as numbers by bytes`() {
    let (before, after) = ByteString("k=\u{301}=v").divided(at: 0x3D)
    #expect(before == "k")
    #expect(after == "\u{301}=v")
    #expect(ByteString("k").divided(at: 0x3D).after == nil)
    #expect(ByteString("12").integer == 12)
    #expect(ByteString("12\u{301}").integer == nil)
    #expect(ByteString("99999999999999999999").integer == nil)
    #expect(ByteString("a b").removing { $0 == 0x20 } == "ab")
    #expect(["a", "b"].map { ByteString($0) }.joined(separator: ", ") == "a, b")
  }
}
