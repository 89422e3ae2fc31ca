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
