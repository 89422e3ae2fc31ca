import Platform

/// Why gzip data could not be read. Offsets count bytes of the compressed file from 0.
package enum GzipError: Error, Equatable, CustomStringConvertible {
  /// The file cannot be opened, or is not a regular one.
  case cannotOpen(SystemError)
  /// `read` failed at this offset.
  case cannotRead(SystemError, offset: Int)
  /// The file does not begin with gzip's magic bytes 1f 8b.
  case notGzip(file: String)
  /// The file ends inside a member.
  case truncated(file: String, offset: Int)
  /// The data contradicts itself near this offset: a damaged block, check sum or length.
  case corrupt(file: String, offset: Int, detail: String)
  /// Bytes follow a member that are neither zeros nor the beginning of another member.
  case trailingBytes(file: String, offset: Int, count: Int)
  /// More bytes would come out than the caller allows.
  case tooLarge(file: String, limitBytes: Int)

  package var description: String {
    switch self {
    case .cannotOpen(let error): error.description
    case .cannotRead(let error, let offset):
      "cannot read \(error.subject) at offset \(offset): \(error.cause)"
    case .notGzip(let file): "\(file) is not a gzip file: expected the bytes 1f 8b at offset 0"
    case .truncated(let file, let offset):
      "\(file) is cut off: it ends at offset \(offset) inside its gzip data; expected more bytes"
    case .corrupt(let file, let offset, let detail):
      "\(file) is damaged near offset \(offset): \(detail); expected valid gzip data"
    case .trailingBytes(let file, let offset, let count):
      "\(file) goes on after its gzip data: the \(count == 1 ? "byte" : "\(count) bytes") from offset "
        + "\(offset) on \(count == 1 ? "is" : "are") neither zero padding nor another gzip member"
    case .tooLarge(let file, let limitBytes):
      "\(file) unpacks to more than the \(limitBytes) bytes allowed"
    }
  }
}
