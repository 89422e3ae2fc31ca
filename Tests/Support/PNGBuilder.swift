/// Writes small PNG images by hand, without compression.
public enum PNGBuilder {
  /// An 8-bit image of `[height][width][channels]`; 1 channel is grey, 3 are colours.
  public static func png(width: Int, height: Int, channels: Int, _ samples: [UInt8]) -> [UInt8] {
    var rows: [UInt8] = []
    for row in 0..<height {
      rows.append(0)
      rows += samples[(row * width * channels)..<((row + 1) * width * channels)]
    }
    let header = number(width) + number(height) + [8, channels == 1 ? 0 : 2, 0, 0, 0]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", header)
      + chunk("IDAT", stored(rows)) + chunk("IEND", [])
  }

  /// An image that depends on a number, in colour or grey.
  public static func png(_ seed: Int, width: Int = 20, height: Int = 24, channels: Int = 3) -> [UInt8] {
    let samples = (0..<(width * height * channels)).map {
      UInt8(truncatingIfNeeded: ($0 / channels + seed * 37) &* 3 &+ ($0 % channels) * seed * 50)
    }
    return png(width: width, height: height, channels: channels, samples)
  }

  private static func chunk(_ kind: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(kind.utf8) + content
    return number(content.count) + body + number(Int(ArchiveBuilder.crc32(body)))
  }

  /// zlib's format (RFC 1950) with blocks that are stored as they are.
  private static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: bytes.count, by: 65_535) {
      let piece = bytes[start..<min(start + 65_535, bytes.count)]
      let size = [UInt8(piece.count & 255), UInt8(piece.count >> 8)]
      result += [piece.endIndex == bytes.count ? 1 : 0] + size + size.map { ~$0 } + piece
    }
    var (a, b) = (1, 0)
    for byte in bytes {
      a = (a + Int(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return result + number(b << 16 | a)
  }

  private static func number(_ value: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }
}
