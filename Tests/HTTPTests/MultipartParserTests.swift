import HTTP
import Testing
import Text

@Suite("A multipart form")
struct MultipartParserTests {
  /// The contents and types of the parts of a body, which comes in pieces of that size.
  private func parts(
    _ body: [UInt8], pieces: Int = .max, boundary: ByteString = "b", partsMax: Int = 4
  ) throws -> [(content: String, type: String)] {
    var parser = MultipartParser(boundary: boundary, limits: .init(parts: partsMax, headerBytes: 200))
    var start = 0
    while start < body.count {
      let end = min(body.count, start + min(pieces, body.count))
      try parser.take(Array(body[start..<end]))
      start = end
    }
    try parser.finish()
    return parser.parts.map { (String(decoding: body[$0.content], as: UTF8.self), $0.type.string) }
  }

  private func failure(_ body: String, partsMax: Int = 4) -> MultipartParser.Failure? {
    do {
      _ = try parts(Array(body.utf8), partsMax: partsMax)
      return nil
    } catch {
      return error as? MultipartParser.Failure
    }
  }

  private static let head = "Content-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n"

  @Test func `has the same parts however it comes`() throws {
    let body = Array(
      ("preamble\r\n--b \t\r\n\(Self.head)Content-Type: image/PNG; x=1\r\n\r\none\r\n-\r\n--\r\n--a\r\n"
        + "--b\r\n\(Self.head)\r\n\r\n--b\r\nContent-Disposition: FORM-DATA; name=x\r\n\r\n\r\r\n\r\n--b--"
        + "\r\nepilogue --b\r\n--b\r\n").utf8)
    for pieces in [1, 2, 3, 5, 7, 64, body.count] {
      let found = try parts(body, pieces: pieces)
      #expect(found.map(\.content) == ["one\r\n-\r\n--\r\n--a", "", "\r\r\n"], "in pieces of \(pieces)")
      #expect(found.map(\.type) == ["image/png", "", ""])
    }
  }

  @Test func `is what curl sends`() throws {
    let boundary: ByteString = "------------------------d74496d66958873e"
    let body =
      "--\(boundary)\r\nContent-Disposition: form-data; name=\"images\"; filename=\"a b\\\".png\"\r\n"
      + "Content-Type: image/png\r\n\r\n\u{89}PNG\r\n--\(boundary)--\r\n"
    let found = try parts(Array(body.utf8), boundary: boundary)
    #expect(found.map(\.content) == ["\u{89}PNG"])
    // The line that ends a header may be the one that begins the boundary.
    #expect(try parts(Array("--b\r\n\(Self.head)\r\n--b--".utf8)).map(\.content) == [""])
  }

  @Test(arguments: [
    ("", 1, "closes it"), ("--b", 1, "closes it"), ("--b--", 1, "at least one part"),
    ("--b\r\n\(Self.head)\r\nx", 1, "closes it"), ("--b\r\n\(Self.head)\r\nx\r\n--b\r\n", 2, "closes it"),
    ("--b\r\n\(Self.head)\r\nx\r\n--bc\r\n", 2, "end of its line"),
    ("--b\n\(Self.head)", 1, "end of its line"),
    ("--b-x", 1, "end of its line"), ("--b\r\n\r\nx\r\n--b--", 1, "form-data with a name"),
    ("--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--", 1, "form-data with a name"),
    ("--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b--", 1, "form-data with a name"),
    ("--b\r\n\(Self.head)\(Self.head)\r\nx\r\n--b--", 1, "twice"),
    ("--b\r\n\(Self.head)no field\r\n\r\nx\r\n--b--", 1, "not a field"),
    ("--b\r\n\(Self.head) folded\r\n\r\nx\r\n--b--", 1, "not a field"),
    ("--b\r\nA: b\n\(Self.head)\r\nx\r\n--b--", 1, "CRLF"),
    ("--b\r\n\(Self.head)Content-Transfer-Encoding: base64\r\n\r\nx\r\n--b--", 1, "must be binary"),
  ])
  func `that is malformed is refused with the number of the part`(body: String, part: Int, text: String) {
    guard case .malformed(let number, let message)? = failure(body) else {
      Issue.record("\(body) is taken, or refused otherwise: \(String(describing: failure(body)))")
      return
    }
    #expect(number == part && message.contains(text), "\(number): \(message)")
  }

  @Test func `has so many parts and such long headers as are allowed`() {
    let part = "--b\r\n\(Self.head)\r\nx\r\n"
    #expect(failure(String(repeating: part, count: 4) + "--b--") == nil)
    #expect(failure(String(repeating: part, count: 5) + "--b--") == .tooManyParts)
    let long = "X: " + String(repeating: "x", count: 300)
    #expect(failure("\(part)--b\r\n\(Self.head)\(long)\r\n\r\nx\r\n--b--") == .headerTooLong(part: 2))
  }

  @Test(arguments: [
    ("multipart/form-data; boundary=abc", "abc"), ("multipart/form-data;boundary=\"a b\"; x=y", "a b"),
    ("multipart/form-data; BOUNDARY=a", "a"), ("multipart/form-data", nil),
    ("multipart/form-data; boundary=", nil), ("multipart/form-data; boundary=\"\"", nil),
    ("multipart/form-data; boundary=\"a \"", nil), ("multipart/form-data; boundary=\"a\u{0D}b\"", nil),
    ("multipart/form-data; boundary=a; boundary=b", nil), ("multipart/form-data; boundary=a b", nil),
    ("multipart/form-data; boundary=\"a", nil),
    ("multipart/form-data; boundary=\(String(repeating: "a", count: 70))", String(repeating: "a", count: 70)),
    ("multipart/form-data; boundary=\(String(repeating: "a", count: 71))", nil),
  ])
  func `has a boundary of 1 to 70 characters`(type: String, boundary: String?) {
    #expect(MultipartParser.boundary(in: ByteString(type)) == boundary.map { ByteString($0) })
  }

  @Test func `of any bytes is taken or refused, and parts lie in order inside`() {
    var random = SystemRandomNumberGenerator()
    let pieces = ["--b", "\r\n", "--", "\r", "\n", "b", "-", "x", Self.head, "\r\n\r\n", "--b--"]
    for _ in 0..<2_000 {
      let body = Array(
        (0..<Int.random(in: 0..<24, using: &random)).map { _ in
          pieces.randomElement(using: &random) ?? ""
        }.joined().utf8)
      var parser = MultipartParser(boundary: "b", limits: .init(parts: 8))
      guard (try? parser.take(body)) != nil else { continue }
      var end = 0
      for part in parser.parts {
        #expect(part.content.lowerBound >= end && part.content.upperBound <= body.count)
        end = part.content.upperBound
        #expect(!String(decoding: body[part.content], as: UTF8.self).contains("\r\n--b"))
      }
    }
  }
}
