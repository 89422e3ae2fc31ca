/// The header of NumPy's file format, version 1.0 (numpy.lib.format), behind which the numbers follow in
/// rows, the lowest byte of each first.
package enum NumPyHeader {
  /// What the numbers are.
  package enum Element: String, Sendable {
    case float32 = "<f4"
    case int64 = "<i8"
  }

  /// The media type of such a file.
  package static let mediaType = "application/x-npy"

  /// The bytes before the numbers of an array of that shape, a multiple of 64.
  package static func bytes(_ element: Element, shape: [Int]) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(element.rawValue)', 'fortran_order': False, 'shape': (\(sizes)), }"
    // The data begins at a multiple of 64 bytes, behind a newline.
    let prefixBytes = 10
    while (prefixBytes + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    var bytes = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes += [UInt8(header.utf8.count & 0xFF), UInt8(header.utf8.count >> 8)]
    return bytes + header.utf8
  }

  /// Whole numbers as bytes of an `int64` array.
  package static func bytes(of values: some Sequence<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    for value in values {
      let word = UInt64(bitPattern: Int64(value))
      for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))) }
    }
    return bytes
  }
}
