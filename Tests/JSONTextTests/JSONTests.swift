import JSONText
import Testing
import Text

@Suite struct JSONTests {
  @Test(
    arguments: [
      ("null", JSON.null), (" true ", true), ("0", 0), ("-7", -7),
      ("9007199254740993", 9_007_199_254_740_993),
      ("9223372036854775807", .integer(.max)), ("1.5e3", 1500), ("1E-2", 0.01), ("\u{FEFF}[1]", [1]),
      ("-0.0", .number(-0.0)),
      ("\"a\\u00e9\\n\\\"\\/\"", "aé\n\"/"), ("\"\\ud83d\\ude00\"", "😀"), ("[]", []), ("{}", [:]),
      ("[1,[2,{\"a\":null}]]", [1, [2, ["a": nil]]]),
      ("{\"b\":1,\"a\":[true,false]}", ["a": [true, false], "b": 1]),
    ] as [(String, JSON)])
  func `reads what RFC 8259 allows`(text: String, value: JSON) throws {
    #expect(try JSON.parse(text) == value)
  }

  @Test func `writes keys in the order of their bytes, however much of them is the same`() {
    let keys = [
      "", "a", "a\u{0}", "a\u{0}b", "ab", "image_size", "images", "images_per", "images_per_minute",
      "images_per_second", "z", "é", "e\u{301}", "中", "😀", "\u{FFFF}",
    ].map { ByteString($0) }
    let object = JSON.object(Dictionary(keys.map { ($0, 1) }, uniquingKeysWith: { $1 }))
    let expected = keys.sorted { Array($0.bytes).lexicographicallyPrecedes(Array($1.bytes)) }
      .map { "\(JSON.string($0).text):1" }
    #expect(object.text == "{\(expected.joined(separator: ","))}")
  }

  @Test(
    arguments: [
      ("", 1, 1), ("  \n ", 2, 2), ("{", 1, 2), ("[1,]", 1, 4), ("{\"a\":1,}", 1, 8), ("{a:1}", 1, 2),
      ("01", 1, 2),
      ("1.", 1, 3), ("-", 1, 2), ("+1", 1, 1), ("1e", 1, 3), (".5", 1, 1), ("1 2", 1, 3), ("tru", 1, 1),
      ("NaN", 1, 1),
      ("\"a", 1, 1), ("\"\t\"", 1, 2), ("\"\\x\"", 1, 3), ("\"\\ud800\"", 1, 8), ("\"\\udc00\"", 1, 8),
      ("\"\\u12g4\"", 1, 6), ("{\"a\":1,\n \"a\":2}", 2, 2), ("1e999", 1, 1), ("[1\n,\n 'x']", 3, 2),
      ("// c\n1", 1, 1),
      ("\u{FEFF}x", 1, 1), ("1\u{FEFF}", 1, 2), ("{\"é\" 1}", 1, 6), ("[1}", 1, 3), ("nul", 1, 1),
    ] as [(String, Int, Int)])
  func `refuses what RFC 8259 does not allow, with its place`(text: String, line: Int, column: Int) {
    let error = #expect(throws: JSONError.self) { try JSON.parse(text) }
    #expect(error?.line == line, "\(error.map(String.init(describing:)) ?? "")")
    #expect(error?.column == column, "\(error.map(String.init(describing:)) ?? "")")
  }

  @Test func `refuses invalid UTF-8 and nesting without end`() {
    #expect(throws: JSONError.self) { try JSON.parse([0x22, 0xC3, 0x22]) }
    #expect(throws: JSONError.self) { try JSON.parse([0x22, 0xED, 0xA0, 0x80, 0x22]) }
    let limit = JSON.depthMax
    let fits = String(repeating: "[", count: limit) + String(repeating: "]", count: limit)
    #expect(throws: Never.self) { try JSON.parse(fits) }
    #expect(throws: JSONError.self) { try JSON.parse("[\(fits)]") }
    #expect(throws: JSONError.self) { try JSON.parse(String(repeating: "[", count: 1_000_000)) }
  }

  @Test func `never traps on a cut or a changed byte`() throws {
    let whole = Array(#"{"a":[1,-2.5e+3,"x\u00e9\ud83d\ude00\n",true,null],"b":{"c":false}}"#.utf8)
    for end in whole.indices { #expect(throws: JSONError.self) { try JSON.parse(Array(whole[..<end])) } }
    for index in whole.indices {
      for byte in UInt8.min ... .max {
        var changed = whole
        changed[index] = byte
        // Most are errors, some are other values; all that matters is that it returns.
        if let value = try? JSON.parse(changed) { #expect(try JSON.parse(value.text) == value) }
      }
    }
  }

  @Test func `some members of an object are those that the whole has, of whatever is one`() throws {
    #expect(
      try JSON.members(["step", "event", "no"], of: #" {"x":[1],"st\u0065p":7,"y":{"step":1},"event":"a"} "#)
        == ["step": 7, "event": "a"])
    #expect(throws: JSONError.self) { try JSON.members(["a"], of: #"{"a":1,"a":2}"#) }
    #expect(throws: JSONError.self) { try JSON.members(["a"], of: #"["a"]"#) }
    let whole = Array(#"{"a":[1,-2.5e+3,"x\u00e9\n",true,null],"b":{"c":false},"d":"é","e":-0.1}"#.utf8)
    for index in whole.indices {
      for byte in UInt8.min ... .max {
        var changed = whole
        changed[index] = byte
        let text = String(decoding: changed, as: UTF8.self)
        let members = try? JSON.members(["b", "e"], of: text)
        // The whole is as strict, and about names that stand twice and large numbers stricter.
        guard let value = try? JSON.parse(text), let object = value.object else { continue }
        #expect(members == object.filter { $0.key == "b" || $0.key == "e" }, "\(text)")
      }
    }
    for end in whole.indices {
      let cut = String(decoding: whole[..<end], as: UTF8.self)
      #expect(throws: JSONError.self) { try JSON.members(["b"], of: cut) }
    }
  }

  @Test func `writes sorted keys, exact integers, shortest doubles and null for what is not finite`() {
    let value: JSON = [
      "z": 1,
      "a": [.number(0.1), .number(2), .number(1e-7), .number(1e300), .number(.nan), .number(-.infinity)],
      "é": "a\"\\\n\u{01}/", "m": .integer(.min), "k": .number(-0.0), "l": .number(0x1p53),
    ]
    #expect(
      value.text
        == #"{"a":[0.1,2,1e-07,1e+300,null,null],"k":-0.0,"l":9007199254740992,"m":-9223372036854775808,"#
        + #""z":1,"é":"a\"\\\n\u0001/"}"#)
  }

  @Test func `doubles come back as the same bits`() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let value = Double(bitPattern: generator.next())
      guard value.isFinite else { continue }
      #expect(try JSON.parse(JSON.number(value).text).double == value)
    }
  }

  @Test func `numbers are equal by value, and whole ones are integers however written`() throws {
    #expect(JSON.integer(25) == .number(25))
    #expect(JSON.integer(9_007_199_254_740_993) != .number(9_007_199_254_740_992))
    #expect(try JSON.parse("25.0").int == 25)
    #expect(try JSON.parse("25.5").int == nil)
  }
}
