import Testing
import Text

@Suite struct ByteStringTests {
  @Test func `texts that look the same are equal only if their bytes are`() {
    let composed: ByteString = "caf\u{E9}"
    let decomposed: ByteString = "cafe\u{301}"
    #expect(composed.string == decomposed.string)
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed, composed]).count == 2)
  }

  @Test func `the order is that of the bytes, a prefix first`() {
    let sorted: [ByteString] = ["", "Z", "a", "ab", "b", "\u{E9}", "\u{1F600}"]
    #expect(sorted.shuffled().sorted() == sorted)
  }

  @Test func `case is ignored for ASCII letters alone`() {
    #expect(ByteString("Content-Type").equalsIgnoringCase("cONTENT-tYPE"))
    #expect(!ByteString("\u{C9}").equalsIgnoringCase("\u{E9}"))
    #expect(!ByteString("@").equalsIgnoringCase("`"))
    #expect(ByteString("A\u{C9}z").lowercasedASCII == "a\u{C9}z")
    #expect(!ByteString("\u{212A}").equalsIgnoringCase("k"))
  }

  @Test func `prefixes, suffixes and parts are found between bytes`() {
    let text: ByteString = "e\u{301},,x"
    #expect(text.hasPrefix("e"))
    #expect(text.hasSuffix("x"))
    #expect(!text.hasSuffix("too long a suffix"))
    #expect(text.split(0x2C) == ["e\u{301}", "x"])
    #expect(text.split(0x2C, omittingEmptySubsequences: false) == ["e\u{301}", "", "x"])
    #expect(text.split(0x2C, maxSplits: 1, omittingEmptySubsequences: false) == ["e\u{301}", ",x"])
  }

  @Test func `white space goes at both ends, spaces and tabs alike`() {
    #expect(ByteString("\t  a b \t").trimmed == "a b")
    #expect(ByteString(" \t ").trimmed == "")
    #expect(ByteString("\u{A0}a").trimmed == "\u{A0}a")
  }

  @Test(arguments: [(3, "ab\u{E9}"), (2, "ab"), (1, "a"), (0, "")])
  func `a text is shortened between characters`(bytes: Int, kept: String) {
    let text: ByteString = "ab\u{E9}"
    #expect(text.shortened(toBytes: bytes + (bytes == 3 ? 1 : 0)) == (bytes == 3 ? kept : "\(kept)…"))
    #expect(text.shortened(toBytes: 3) == "ab…")
  }

  @Test func `bytes that are not UTF-8 are refused or replaced`() {
    #expect(ByteString(validating: [0x61, 0xFF]) == nil)
    #expect(ByteString(decoding: [0x61, 0xFF]) == "a\u{FFFD}")
    #expect(ByteString(validating: [0xC3, 0xA9]) == "\u{E9}")
  }

  @Test func `combining marks cost no more than letters`() {
    func seconds(_ text: String) -> Double {
      let clock = ContinuousClock()
      let one = ByteString(text + "a")
      let other = ByteString(text + "b")
      let time = clock.measure {
        for _ in 0..<100 {
          #expect(one != other)
          #expect(one.hashValue == one.hashValue)
        }
      }
      return Double(time.components.attoseconds) / 1e18 + Double(time.components.seconds)
    }
    let marks = seconds(String(repeating: "\u{301}\u{316}", count: 20_000))
    let letters = seconds(String(repeating: "abcd", count: 20_000))
    // Normalising the marks would take minutes; the factor leaves room for a machine that is busy.
    #expect(marks < 50 * letters + 0.5)
  }
}
