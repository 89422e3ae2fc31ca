/// What a safetensors file holds: named tensors and a table of strings.
package struct TensorFile: Sendable, Equatable {
  /// The `__metadata__` entry of the header.
  package var metadata: [String: String]
  /// The tensors by name.
  package var tensors: [String: TensorValue]

  /// A file of these tensors.
  package init(metadata: [String: String], tensors: [String: TensorValue]) {
    self.metadata = metadata
    self.tensors = tensors
  }
}

/// One tensor in row-major order.
package struct TensorValue: Sendable, Equatable {
  /// The elements, typed.
  package enum Elements: Sendable, Equatable {
    /// Safetensors' `F32`.
    case float32([Float])
    /// Safetensors' `I64`.
    case int64([Int64])
  }

  /// Sizes of the dimensions, outermost first; empty for a scalar.
  package let shape: [Int]
  /// As many as the product of `shape`.
  package let elements: Elements

  /// A tensor of `shape`. Precondition: there are as many elements as the shape has places.
  package init(shape: [Int], _ elements: Elements) {
    let places = shape.reduce(1, *)
    switch elements {
    case .float32(let values): precondition(values.count == places, "a tensor needs an element a place")
    case .int64(let values): precondition(values.count == places, "a tensor needs an element a place")
    }
    self.shape = shape
    self.elements = elements
  }

  /// Whether every element is a finite number.
  package var isFinite: Bool {
    switch elements {
    case .float32(let values): values.allSatisfy(\.isFinite)
    case .int64: true
    }
  }

  /// Safetensors' element type.
  var type: SafetensorsHeader.ElementType {
    switch elements {
    case .float32: .float32
    case .int64: .int64
    }
  }

  /// Bytes of all elements.
  package var byteCount: Int { count * type.bytes }

  /// Number of elements.
  var count: Int {
    switch elements {
    case .float32(let values): values.count
    case .int64(let values): values.count
    }
  }

  /// The bytes of the elements in `range`, little-endian.
  func bytes(_ range: Range<Int>) -> [UInt8] {
    switch elements {
    case .float32(let values): littleEndianBytes(range, size: 4) { UInt64(values[$0].bitPattern) }
    case .int64(let values): littleEndianBytes(range, size: 8) { UInt64(bitPattern: values[$0]) }
    }
  }
}

/// `size` bytes, lowest first, of `word` at each index of `range`.
@inline(__always)
private func littleEndianBytes(_ range: Range<Int>, size: Int, word: (Int) -> UInt64) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: range.count * size)
  var at = 0
  for index in range {
    let value = word(index)
    for byte in 0..<size { bytes[at + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)) }
    at += size
  }
  return bytes
}
