/// How a stored image is turned to be seen: the eight values of EXIF's tag 0x0112 (CIPA DC-008, 4.6.4).
package enum Orientation: Int, Sendable, CaseIterable {
  case normal = 1
  case mirrored, turnedHalf, mirroredTurnedHalf, transposed, turnedRight, transversed, turnedLeft

  /// Whether height and width change places.
  package var swapsSides: Bool { rawValue >= 5 }

  /// Where the pixel of a seen row and column lies in the stored image of that size.
  func place(row: Int, column: Int, height: Int, width: Int) -> (row: Int, column: Int) {
    switch self {
    case .normal: (row, column)
    case .mirrored: (row, width - 1 - column)
    case .turnedHalf: (height - 1 - row, width - 1 - column)
    case .mirroredTurnedHalf: (height - 1 - row, column)
    case .transposed: (column, row)
    case .turnedRight: (height - 1 - column, row)
    case .transversed: (height - 1 - column, width - 1 - row)
    case .turnedLeft: (column, width - 1 - row)
    }
  }

  /// The orientation that a JPEG's EXIF data gives; `normal` where there is none, or none that is valid.
  package init(jpeg bytes: [UInt8]) {
    self = Self.exif(in: bytes).flatMap { Self.orientation(inTIFF: bytes[$0]) } ?? .normal
  }

  /// As of a JPEG, of a PNG's chunk `eXIf` (Portable Network Graphics, third edition, 11.3.4.5).
  package init(png bytes: [UInt8]) {
    let content = Self.chunk("eXIf", in: bytes, from: 8) { start in
      (kind: start + 4, content: start + 8, bytes: Self.number(bytes[start..<(start + 4)]), trailer: 4)
    }
    self = content.flatMap { Self.orientation(inTIFF: bytes[$0]) } ?? .normal
  }

  /// As of a JPEG, of a WebP's chunk `EXIF` (RFC 9649, 2.7.1.5), in front of which some programs leave JPEG's
  /// mark.
  package init(webP bytes: [UInt8]) {
    let content = Self.chunk("EXIF", in: bytes, from: 12) { start in
      let count = Self.number(bytes[(start + 4)..<(start + 8)].reversed())
      return (kind: start, content: start + 8, bytes: count, trailer: count & 1)
    }
    let data = content.map { bytes[$0] }
    self =
      data.flatMap { Self.orientation(inTIFF: $0.starts(with: Self.mark) ? $0.dropFirst(6) : $0) } ?? .normal
  }

  /// What stands in front of the TIFF data in a JPEG.
  private static let mark = Array("Exif".utf8) + [0, 0]

  /// A whole number, the highest byte first.
  private static func number(_ bytes: some Sequence<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

  /// The content of the first chunk of a kind, where chunks follow one another from a place.
  ///
  /// - Parameter head: reads the eight bytes with which a chunk begins: where its kind and content begin, how
  ///   many bytes the content has, and how many follow it.
  private static func chunk(
    _ kind: String, in bytes: [UInt8], from start: Int,
    _ head: (Int) -> (kind: Int, content: Int, bytes: Int, trailer: Int)
  ) -> Range<Int>? {
    var position = start
    while position + 8 <= bytes.count {
      let chunk = head(position)
      let end = chunk.content + chunk.bytes
      guard end <= bytes.count else { return nil }
      if bytes[chunk.kind..<(chunk.kind + 4)].elementsEqual(kind.utf8) { return chunk.content..<end }
      position = end + chunk.trailer
    }
    return nil
  }

  /// The TIFF data in the first EXIF segment: marker FFE1, two bytes of length, `Exif`, two zeros.
  private static func exif(in bytes: [UInt8]) -> Range<Int>? {
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xFF {
      let marker = bytes[position + 1]
      // More FF may stand before a marker.
      if marker == 0xFF {
        position += 1
        continue
      }
      // The image data begins, or ends.
      if marker == 0xDA || marker == 0xD9 { return nil }
      let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
      let end = position + 2 + length
      guard length >= 2, end <= bytes.count else { return nil }
      let content = (position + 4)..<end
      if marker == 0xE1, bytes[content].starts(with: mark) {
        return (content.lowerBound + 6)..<end
      }
      position = end
    }
    return nil
  }

  /// The orientation in the first directory of TIFF data (TIFF 6.0, section 2).
  private static func orientation(inTIFF data: ArraySlice<UInt8>) -> Orientation? {
    let isLittle = data.starts(with: [0x49, 0x49])
    guard isLittle || data.starts(with: [0x4D, 0x4D]) else { return nil }
    func number(_ offset: Int, bytes count: Int) -> Int? {
      guard offset >= 0, offset <= data.count - count else { return nil }
      let part = data[(data.startIndex + offset)..<(data.startIndex + offset + count)]
      return (isLittle ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard number(2, bytes: 2) == 42, let directory = number(4, bytes: 4),
      let count = number(directory, bytes: 2)
    else { return nil }
    for entry in 0..<count {
      let offset = directory + 2 + 12 * entry
      guard let tag = number(offset, bytes: 2) else { return nil }
      if tag == 0x0112 { return number(offset + 8, bytes: 2).flatMap(Orientation.init(rawValue:)) }
    }
    return nil
  }
}
