import Platform
import Testing

@testable import Images

@Suite struct BadImageTests {
  private func decode(_ bytes: [UInt8], pixelsMax: Int = 1_000_000) throws(ImageError) -> SquareImage {
    try SquareImage(decoding: bytes, side: 16, fit: .cover, pixelsMax: pixelsMax)
  }

  @Test func `nothing, and what no decoder knows, is refused with a reason`() {
    #expect(throws: ImageError.empty) { try decode([]) }
    #expect(throws: ImageError.unknownFormat) { try decode(Array("GIF89a".utf8) + [1, 0, 1, 0]) }
    #expect(throws: ImageError.unknownFormat) { try decode([0x89, 0x50]) }
  }

  @Test(arguments: [
    "rgb.png", "interlaced.png", "palette-alpha.png", "rgb.jpg", "progressive.jpg", "cmyk.jpg", "lossy.webp",
    "alpha.webp", "animated.webp",
  ])
  func `an image that is cut off anywhere is an error`(name: String) throws {
    let bytes = try GoldenImageTests.bytes(name)
    for count in stride(from: 1, to: bytes.count * 9 / 10, by: max(bytes.count / 60, 1)) {
      #expect(throws: ImageError.self, "\(count)") { try decode(Array(bytes[..<count])) }
    }
  }

  @Test(arguments: ["rgb.png", "rgb.jpg", "lossy.webp", "animated.webp", "turned-6.jpg"])
  func `changed bytes give an error or an image, and nothing else`(name: String) throws {
    let bytes = try GoldenImageTests.bytes(name)
    for index in bytes.indices {
      for value in [UInt8(0), 0xFF, bytes[index] ^ 1] {
        var changed = bytes
        changed[index] = value
        // Either is right: the bytes say something else now.
        if let image = try? decode(changed) { #expect(image.bitmap.width == 16) }
      }
    }
  }

  @Test func `a header's word for too many pixels costs no memory`() throws {
    var png = try GoldenImageTests.bytes("rgb.png")
    // 30,000 × 30,000, and a checksum that fits.
    png.replaceSubrange(16..<24, with: [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30])
    png.replaceSubrange(29..<33, with: Checksum.crc32(png[12..<29]))
    let before = ProcessMemory.peakResidentBytes
    #expect(throws: ImageError.tooManyPixels(width: 30_000, height: 30_000, limit: 100_000_000)) {
      try decode(png, pixelsMax: 100_000_000)
    }
    var jpeg = try GoldenImageTests.bytes("rgb.jpg")
    let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    jpeg.replaceSubrange((frame + 5)..<(frame + 9), with: [0x75, 0x30, 0x75, 0x30])
    #expect(throws: ImageError.tooManyPixels(width: 30_000, height: 30_000, limit: 100_000_000)) {
      try decode(jpeg, pixelsMax: 100_000_000)
    }
    #expect(ProcessMemory.peakResidentBytes - before < 64 << 20)
  }

  @Test(arguments: [(0x49, true), (0x4D, false), (0x4E, false)])
  func `EXIF that lies is no orientation`(mark: Int, isLittle: Bool) {
    let mark = UInt8(mark)
    for count in 0..<40 {
      let tiff: [UInt8] =
        [mark, mark, 42, 0, 0xFF, 0xFF, 0xFF, 0x7F] + [UInt8](repeating: 0xFF, count: count)
      let length = tiff.count + 8
      let bytes: [UInt8] =
        [0xFF, 0xD8, 0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 255)] + Array("Exif".utf8) + [0, 0] + tiff
      for end in bytes.indices { #expect(Orientation(jpeg: Array(bytes[...end])) == .normal) }
      let chunk = Checksum.chunk("eXIf", tiff)
      for end in chunk.indices {
        #expect(Orientation(png: [UInt8](repeating: 0, count: 8) + chunk[...end]) == .normal)
      }
      let riff = Self.riff("EXIF", tiff)
      for end in riff.indices {
        #expect(Orientation(webP: [UInt8](repeating: 0, count: 12) + riff[...end]) == .normal)
      }
    }
  }

  /// TIFF data with an orientation alone.
  private static func tiff(_ orientation: Orientation, isLittle: Bool) -> [UInt8] {
    func number(_ value: Int, _ count: Int) -> [UInt8] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return isLittle ? bytes : bytes.reversed()
    }
    let mark = [UInt8](repeating: isLittle ? 0x49 : 0x4D, count: 2)
    let entry = number(0x0112, 2) + number(3, 2) + number(1, 4) + number(orientation.rawValue, 2) + [0, 0]
    return mark + number(42, 2) + number(8, 4) + number(1, 2) + entry + number(0, 4)
  }

  /// A chunk of a WebP file.
  private static func riff(_ kind: String, _ content: [UInt8]) -> [UInt8] {
    let count = (0..<4).map { UInt8(truncatingIfNeeded: content.count >> (8 * $0)) }
    return kind.utf8 + count + content + [UInt8](repeating: 0, count: content.count & 1)
  }

  @Test(arguments: Orientation.allCases, [true, false])
  func `EXIF turns PNG and WebP as well`(orientation: Orientation, isLittle: Bool) throws {
    let tiff = Self.tiff(orientation, isLittle: isLittle)
    let png = try GoldenImageTests.bytes("rgb.png")
    let webP = try GoldenImageTests.bytes("lossless.webp")
    // Behind the header, and behind the image; a WebP needs a header with flags for it, VP8X.
    let header = try ImageHeader(webP, pixelsMax: .max)
    let sides = [header.width - 1, header.height - 1].flatMap { side in
      (0..<3).map { UInt8(truncatingIfNeeded: side >> (8 * $0)) }
    }
    let chunks = Self.riff("VP8X", [0x08, 0, 0, 0] + sides) + webP[12...]
    var turned: [(plain: [UInt8], turned: [UInt8])] = [
      (png, png[..<33] + Checksum.chunk("eXIf", tiff) + png[33...]),
      (png, png[..<(png.count - 12)] + Checksum.chunk("eXIf", tiff) + png[(png.count - 12)...]),
    ]
    for tiff in [tiff, Array("Exif".utf8) + [0, 0] + tiff] {
      turned.append((webP, Self.riff("RIFF", "WEBP".utf8 + chunks + Self.riff("EXIF", tiff))))
    }
    for pair in turned {
      let plain = try SquareImage(decoding: pair.plain, side: 64, fit: .stretch, pixelsMax: .max)
      let image = try SquareImage(decoding: pair.turned, side: 64, fit: .stretch, pixelsMax: .max)
      #expect(image.bitmap == plain.bitmap.turned(orientation))
    }
  }

  @Test func `every orientation keeps all pixels`() {
    let image = Bitmap(width: 2, height: 3, channels: 1, samples: [1, 2, 3, 4, 5, 6])
    for orientation in Orientation.allCases {
      let turned = image.turned(orientation)
      #expect(turned.samples.sorted() == image.samples)
      #expect(turned.width == (orientation.swapsSides ? 3 : 2))
    }
    #expect(image.turned(.turnedRight).samples == [5, 3, 1, 6, 4, 2])
  }
}

/// The checksum of PNG's chunks.
private enum Checksum {
  static func chunk(_ kind: String, _ content: [UInt8]) -> [UInt8] {
    let count = (0..<4).map { UInt8(truncatingIfNeeded: content.count >> (24 - 8 * $0)) }
    return count + kind.utf8 + content + crc32(kind.utf8 + content)
  }

  static func crc32(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }
    value ^= 0xFFFF_FFFF
    return (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }
}
