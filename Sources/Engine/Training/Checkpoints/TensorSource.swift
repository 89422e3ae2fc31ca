import TensorElements
import Tensors

/// A tensor on its way into a file, which reads it piece by piece: nothing of it is copied before.
struct TensorSource {
  /// The name in the file.
  let name: String
  /// Sizes of the dimensions, outermost first.
  let shape: [Int]
  /// What the file holds.
  let type: SafetensorsHeader.ElementType
  /// The little-endian bytes of a range of elements.
  let bytes: (Range<Int>) -> [UInt8]

  /// Number of elements.
  var count: Int { shape.reduce(1, *) }
  /// Bytes of all elements.
  var byteCount: Int { count * type.bytes }

  /// A tensor that is a value.
  init(_ name: String, _ value: TensorValue) {
    self.name = name
    shape = value.shape
    type = value.type
    bytes = value.bytes
  }

  /// Floats of an arena, which must keep their values until the file is written.
  init(_ name: String, shape: [Int], _ floats: Floats) {
    self.name = name
    self.shape = shape
    type = .float32
    bytes = { range in
      TensorValue(shape: [range.count], .float32(floats.slice(range.lowerBound, range.count).array))
        .bytes(0..<range.count)
    }
  }
}
