/// A message in the encoding of Protocol Buffers, which is written piece by piece: tensors in it stay where
/// they are.
///
/// The encoding: https://protobuf.dev/programming-guides/encoding/. Fields of other types than these are not
/// needed for ONNX.
///
///     var entry = ProtobufMessage()
///     entry.add(1, "method")
///     entry.add(2, "vicreg")
struct ProtobufMessage {
  private enum Piece {
    case bytes([UInt8])
    case tensor(TensorSource)
  }

  /// How a value follows the number of its field.
  private enum WireType: Int {
    case varint = 0
    case length = 2
    case fixed32 = 5
  }

  private var pieces: [Piece] = []
  /// Bytes of the whole message.
  private(set) var byteCount = 0

  /// Bytes of a tensor that are handed to the sink at a time.
  private static let chunkBytes = 1 << 20

  /// Adds an integer.
  mutating func add(_ field: Int, _ value: Int) {
    append(Self.key(field, .varint) + Self.varint(UInt64(bitPattern: Int64(value))))
  }

  /// Adds a number of single precision.
  mutating func add(_ field: Int, _ value: Float) {
    let bits = value.bitPattern
    append(Self.key(field, .fixed32) + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) })
  }

  /// Adds text.
  mutating func add(_ field: Int, _ text: String) {
    let bytes = Array(text.utf8)
    append(Self.key(field, .length) + Self.varint(UInt64(bytes.count)) + bytes)
  }

  /// Adds a message.
  mutating func add(_ field: Int, _ message: ProtobufMessage) {
    append(Self.key(field, .length) + Self.varint(UInt64(message.byteCount)))
    for piece in message.pieces {
      switch piece {
      case .bytes(let bytes): append(bytes)
      case .tensor: pieces.append(piece)
      }
    }
    byteCount += message.byteCount - message.bytesAtHand
  }

  /// Adds the bytes of a tensor's elements.
  mutating func add(_ field: Int, elementsOf tensor: TensorSource) {
    append(Self.key(field, .length) + Self.varint(UInt64(tensor.byteCount)))
    pieces.append(.tensor(tensor))
    byteCount += tensor.byteCount
  }

  /// Passes the bytes of the message to `sink`, in order.
  func write(to sink: ([UInt8]) throws -> Void) rethrows {
    for piece in pieces {
      switch piece {
      case .bytes(let bytes): try sink(bytes)
      case .tensor(let tensor):
        let step = Self.chunkBytes / tensor.type.bytes
        for start in stride(from: 0, to: tensor.count, by: step) {
          try sink(tensor.bytes(start..<min(start + step, tensor.count)))
        }
      }
    }
  }

  /// Bytes that are not those of tensors.
  private var bytesAtHand: Int {
    pieces.reduce(0) { sum, piece in if case .bytes(let bytes) = piece { sum + bytes.count } else { sum } }
  }

  /// Adds bytes to the last piece, or begins one.
  private mutating func append(_ bytes: [UInt8]) {
    byteCount += bytes.count
    if case .bytes(let last)? = pieces.last {
      pieces[pieces.count - 1] = .bytes(last + bytes)
    } else {
      pieces.append(.bytes(bytes))
    }
  }

  private static func key(_ field: Int, _ type: WireType) -> [UInt8] {
    varint(UInt64(field << 3 | type.rawValue))
  }

  /// Seven bits per byte, the lowest first; the highest bit says that more follow.
  private static func varint(_ value: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
