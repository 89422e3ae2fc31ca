import JSONText

/// The header of a safetensors file, checked: entries in the order of their data, without holes or overlaps.
struct SafetensorsHeader {
  /// The element types that are read.
  enum ElementType: String, CaseIterable {
    case float32 = "F32"
    case int64 = "I64"
    case float16 = "F16"
    case bfloat16 = "BF16"

    /// What files of ours have.
    static let own: [ElementType] = [.float32, .int64]

    /// Bytes of one element.
    var bytes: Int {
      switch self {
      case .float16, .bfloat16: 2
      case .float32: 4
      case .int64: 8
      }
    }

    /// The elements that little-endian `bytes` hold; short floats are widened, which changes no value.
    /// Precondition: a whole number of them.
    func elements(of bytes: [UInt8]) -> TensorValue.Elements {
      switch self {
      case .float32:
        .float32(
          (0..<bytes.count / 4).map {
            Float(bitPattern: UInt32(truncatingIfNeeded: word(bytes, at: 4 * $0, size: 4)))
          })
      case .float16:
        .float32(
          (0..<bytes.count / 2).map {
            Float(Float16(bitPattern: UInt16(truncatingIfNeeded: word(bytes, at: 2 * $0, size: 2))))
          })
      case .bfloat16:
        .float32(
          (0..<bytes.count / 2).map {
            Float(bitPattern: UInt32(truncatingIfNeeded: word(bytes, at: 2 * $0, size: 2)) << 16)
          })
      case .int64:
        .int64((0..<bytes.count / 8).map { Int64(bitPattern: word(bytes, at: 8 * $0, size: 8)) })
      }
    }

    @inline(__always)
    private func word(_ bytes: [UInt8], at start: Int, size: Int) -> UInt64 {
      var value: UInt64 = 0
      for byte in 0..<size { value |= UInt64(bytes[start + byte]) << UInt64(8 * byte) }
      return value
    }
  }

  /// One tensor's place.
  struct Entry {
    let name: String
    let type: ElementType
    let shape: [Int]
    let start: Int
    let end: Int
    var byteCount: Int { end - start }
  }

  /// Dimensions of a tensor at most.
  private static let rankMax = 8
  /// The strings of `__metadata__`.
  let metadata: [String: String]
  /// By rising offset.
  let entries: [Entry]

  /// Parses and checks the JSON of a header.
  ///
  /// - Parameter types: that its tensors may have.
  init(_ bytes: [UInt8], types: [ElementType] = ElementType.own) throws(SafetensorsError) {
    guard bytes.first == UInt8(ascii: "{") else { throw .header("does not begin with { at byte 8") }
    let json: JSON
    do { json = try JSON.parse(bytes, limits: .none) } catch { throw .header("is not JSON: \(error)") }
    guard case .object(let table) = json else { throw .header("is not an object") }
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    for (name, value) in table {
      if name == "__metadata__" {
        metadata = try Self.metadata(value)
      } else {
        entries.append(try Self.entry(name.string, value, types))
      }
    }
    entries.sort { ($0.start, $0.end, $0.name) < ($1.start, $1.end, $1.name) }
    var offset = 0
    for entry in entries {
      guard entry.start == offset else {
        throw .tensor(name: entry.name, "begins at data byte \(entry.start), where \(offset) is next")
      }
      offset = entry.end
    }
    self.metadata = metadata
    self.entries = entries
  }

  private static func metadata(_ value: JSON) throws(SafetensorsError) -> [String: String] {
    guard case .object(let table) = value else { throw .header("has a __metadata__ that is not an object") }
    var strings: [String: String] = [:]
    for (key, value) in table {
      guard case .string(let text) = value else {
        throw .header("has a __metadata__.\(key) that is not a string")
      }
      strings[key.string] = text.string
    }
    return strings
  }

  private static func entry(
    _ name: String, _ value: JSON, _ types: [ElementType]
  ) throws(SafetensorsError) -> Entry {
    guard case .object(let table) = value, Set(table.keys) == ["dtype", "shape", "data_offsets"] else {
      throw .tensor(name: name, "must have dtype, shape and data_offsets, and nothing else")
    }
    guard let type = table["dtype"]?.string.flatMap(ElementType.init(bytes:)), types.contains(type) else {
      let allowed = types.map(\.rawValue).joined(separator: ", ")
      throw .tensor(name: name, "must have one of the dtypes \(allowed), \((table["dtype"] ?? .null).phrase)")
    }
    guard let shape = naturals(table["shape"]), shape.count <= rankMax else {
      throw .tensor(name: name, "has a shape that is not a list of up to \(rankMax) natural numbers")
    }
    guard let range = naturals(table["data_offsets"]), range.count == 2, range[0] <= range[1],
      range[1] <= JSON.exactIntegerMax
    else {
      throw .tensor(name: name, "has data_offsets that are not [begin, end]")
    }
    var size = type.bytes
    for extent in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw .tensor(name: name, "has a shape that is too large") }
      size = product
    }
    guard size == range[1] - range[0] else {
      throw .tensor(name: name, "has \(range[1] - range[0]) bytes of data where its shape needs \(size)")
    }
    return Entry(name: name, type: type, shape: shape, start: range[0], end: range[1])
  }

  /// A list of integers ≥ 0, or `nil`.
  private static func naturals(_ value: JSON?) -> [Int]? {
    guard case .array(let items)? = value else { return nil }
    var numbers: [Int] = []
    for item in items {
      guard case .integer(let number) = item, number >= 0 else { return nil }
      numbers.append(number)
    }
    return numbers
  }
}
