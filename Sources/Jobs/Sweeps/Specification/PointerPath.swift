import JSONText
import Text

/// A JSON pointer (RFC 6901) into a specification, as its tokens.
package struct PointerPath: Sendable, Hashable {
  package let tokens: [ByteString]

  /// Reads a pointer, which begins with `/`.
  package init(_ pointer: ByteString) {
    tokens = pointer.split(0x2F, omittingEmptySubsequences: false).dropFirst().map(Self.unescaped)
  }

  private init(tokens: [ByteString]) { self.tokens = tokens }

  /// The array that the path leads into first: the path before the first token that is a number; nil: it
  /// leads into none.
  package var array: PointerPath? {
    guard let place = tokens.firstIndex(where: { Self.index($0) != nil }) else { return nil }
    return PointerPath(tokens: Array(tokens[..<place]))
  }

  /// The place in an array that a token names; nil: it is the name of a member.
  private static func index(_ token: ByteString) -> Int? {
    let isNumber = !token.isEmpty && token.allSatisfy { (0x30...0x39).contains($0) }
    return isNumber ? token.integer : nil
  }

  /// `~1` is `/` and `~0` is `~`.
  private static func unescaped(_ token: ByteString) -> ByteString {
    var bytes: [UInt8] = []
    var isEscape = false
    for byte in token.bytes {
      if isEscape {
        bytes += byte == 0x31 ? [0x2F] : byte == 0x30 ? [0x7E] : [0x7E, byte]
        isEscape = false
      } else if byte == 0x7E {
        isEscape = true
      } else {
        bytes.append(byte)
      }
    }
    return ByteString(decoding: bytes + (isEscape ? [0x7E] : []))
  }

  /// The value there; nil: there is none.
  package func value(in json: JSON) -> JSON? {
    var value = json
    for token in tokens {
      switch value {
      case .object(let members):
        guard let member = members[token] else { return nil }
        value = member
      case .array(let elements):
        guard let index = Self.index(token), elements.indices.contains(index) else { return nil }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }

  /// Puts a value there; objects that are missing on the way come into being.
  ///
  /// - Returns: nil: done, else why it cannot be: a sentence that goes on after the pointer.
  package func set(_ new: JSON, in json: inout JSON) -> String? { Self.set(new, tokens[...], in: &json) }

  private static func set(_ new: JSON, _ tokens: ArraySlice<ByteString>, in json: inout JSON) -> String? {
    guard let token = tokens.first else {
      json = new
      return nil
    }
    switch json {
    case .null: json = .object([ByteString: JSON]())
    case .object, .array: break
    default: return "leads into \(json.kindName), which has no members"
    }
    if case .array(var elements) = json {
      guard let index = Self.index(token), elements.indices.contains(index) else {
        return "leads to no element: the array has \(elements.count), from 0 to \(elements.count - 1)"
      }
      let problem = set(new, tokens.dropFirst(), in: &elements[index])
      json = .array(elements)
      return problem
    }
    guard case .object(var members) = json else { return nil }
    var member = members[token] ?? .null
    let problem = set(new, tokens.dropFirst(), in: &member)
    members[token] = member
    json = .object(members)
    return problem
  }
}
