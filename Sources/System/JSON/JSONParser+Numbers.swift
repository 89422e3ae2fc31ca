/// Numbers (RFC 8259, section 6).
extension JSONParser {
  /// Goes over `number = [ "-" ] int [ frac ] [ exp ]` (section 6); whether it has neither of the latter.
  mutating func skipNumber() throws(JSONError) -> Bool {
    var isInteger = true
    _ = take("-")
    if take("0") {
      if isDigit(peek) { throw failure("a number has no leading zero") }
    } else {
      try skipDigits()
    }
    if take(".") {
      isInteger = false
      try skipDigits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      try skipDigits()
    }
    return isInteger
  }

  /// Reads the number at the position.
  mutating func parseNumber() throws(JSONError) -> JSON {
    let start = position
    let isInteger = try skipNumber()
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let value = Int(text), !(value == 0 && text.utf8.first == UInt8(ascii: "-")) {
      return .integer(value)
    }
    guard let value = Double(text), value.isFinite else {
      position = start
      throw failure("the number is too large for a double")
    }
    return .number(value)
  }

  private mutating func skipDigits() throws(JSONError) {
    if !isDigit(peek) { throw failure("a digit is expected, found \(found)") }
    while isDigit(peek) { position += 1 }
  }
}
