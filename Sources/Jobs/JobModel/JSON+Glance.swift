extension JSON {
  /// The whole numbers that an object has under these names, without making values of all the rest.
  ///
  /// - Parameter text: JSON; of what is none anything may come.
  package static func wholeNumbers(_ names: [String], in text: String) -> [String: Int] {
    let bytes = Array(text.utf8)
    var found: [String: Int] = [:]
    var depth = 0
    var lastString = 0..<0
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""):
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
          position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        lastString = start..<min(position, bytes.count)
        position += 1
      case UInt8(ascii: ":") where depth == 1:
        let key = bytes[lastString]
        guard let name = names.first(where: { $0.utf8.elementsEqual(key) }) else { continue }
        let rest = bytes[position...].drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
        let value = rest.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "}") && $0 > 0x20 }
        let text = String(decoding: value, as: UTF8.self)
        found[name] = Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
      default: break
      }
    }
    return found
  }
}
