/// A safetensors file that is not one, told by what is wrong and where.
package enum SafetensorsError: Error, Equatable, CustomStringConvertible {
  /// The stream ended inside `part`, at `offset` bytes from the start of the file.
  case truncated(part: String, offset: Int, expectedBytes: Int)
  /// The header's length is out of bounds.
  case headerLength(Int, limit: Int)
  /// The header is not the JSON object that the format asks for.
  case header(String)
  /// The entry of tensor `name` is wrong.
  case tensor(name: String, String)
  /// Bytes follow the last tensor, from `offset` on.
  case trailingBytes(offset: Int)

  package var description: String {
    switch self {
    case .truncated(let part, let offset, let expected):
      "cannot read tensors: the file ends at byte \(offset), in \(part), where \(expected) more bytes belong"
    case .headerLength(let length, let limit):
      "cannot read tensors: bytes 0–7 give a header of \(length) bytes; from 2 to \(limit) are possible"
    case .header(let what): "cannot read tensors: the header \(what)"
    case .tensor(let name, let what): "cannot read tensors: the header's entry \"\(name)\" \(what)"
    case .trailingBytes(let offset):
      "cannot read tensors: bytes follow the last tensor, from byte \(offset) on"
    }
  }
}
