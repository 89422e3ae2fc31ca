import Text

/// What a `Range` field asks of a body of known length (RFC 9110, section 14.1.2).
package enum ByteRanges: Equatable, Sendable {
  /// The field is of another unit, malformed, or asks for too many or overlapping ranges that the
  /// whole body is cheaper: it does not count (section 14.2).
  case ignored
  /// None of the ranges holds a byte of the body.
  case unsatisfiable
  /// The ranges in the order asked for, each cut to the body.
  case satisfiable([Range<Int>])

  /// More ranges than this are answered by the whole body.
  package static let rangeCountMax = 16

  /// ranges-specifier = "bytes" "=" #( first-pos "-" [ last-pos ] / "-" suffix-length )
  package init(_ field: ByteString, bodyBytes: Int) {
    let (unit, list) = field.divided(at: 0x3D)
    guard unit.equalsIgnoringCase("bytes"), let list else {
      self = .ignored
      return
    }
    let specifiers = Grammar.list(list)
    var ranges: [Range<Int>] = []
    for specifier in specifiers {
      guard let range = ByteRanges.range(specifier, bodyBytes) else {
        self = .ignored
        return
      }
      if !range.isEmpty { ranges.append(range) }
    }
    if specifiers.isEmpty || specifiers.count > ByteRanges.rangeCountMax {
      self = .ignored
    } else if ranges.isEmpty {
      self = .unsatisfiable
    } else if ranges.reduce(0, { $0 + $1.count }) > bodyBytes {
      self = .ignored
    } else {
      self = .satisfiable(ranges)
    }
  }

  /// One range cut to the body, empty when it holds none of it; nil when it is malformed.
  private static func range(_ specifier: ByteString, _ bodyBytes: Int) -> Range<Int>? {
    let (from, to) = specifier.divided(at: 0x2D)
    guard let to, from.bytes.allSatisfy(Grammar.isDigit), to.bytes.allSatisfy(Grammar.isDigit) else {
      return nil
    }
    // More digits than 63 bits hold are a position after any end.
    let last = to.isEmpty ? nil : Grammar.decimal(to.bytes) ?? .max
    if from.isEmpty {
      guard let last else { return nil }
      return max(0, bodyBytes - last)..<bodyBytes
    }
    let first = Grammar.decimal(from.bytes) ?? .max
    if let last, last < first { return nil }
    guard first < bodyBytes else { return 0..<0 }
    return first..<(min(last ?? .max, bodyBytes - 1) + 1)
  }
}
