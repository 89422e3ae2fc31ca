import Foundation
import Gzip
import JSONText
import Testing

@testable import Images

/// Images of every kind that `Golden/make_images.py` has written, and what Pillow makes of them.
@Suite struct GoldenImageTests {
  struct Case: CustomTestStringConvertible {
    let file: String
    let side: Int
    let fit: SquareImage.Fit
    let channels: Int
    let offset: Int
    let isScaled: Bool
    var testDescription: String { "\(file) \(fit) \(side)" }

    init?(_ json: JSON) {
      let fits: [String: SquareImage.Fit] = ["cover": .cover, "contain": .contain, "stretch": .stretch]
      guard let file = json["file"]?.string, let side = json["side"]?.int,
        let fit = json["fit"]?.string.flatMap({ fits[$0.string] }), let channels = json["channels"]?.int,
        let offset = json["offset"]?.int, let isScaled = json["scaled"]?.bool
      else { return nil }
      self.file = file.string
      self.side = side
      self.fit = fit
      self.channels = channels
      self.offset = offset
      self.isScaled = isScaled
    }
  }

  static let folder = Bundle.module.bundleURL.appending(path: "Golden").path

  static func bytes(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
  }

  static let cases: [Case] = {
    let list = (try? JSON.parse(bytes("images.json")))?.array ?? []
    return list.compactMap(Case.init)
  }()

  static let expected = try? Gzip.decompressFile("\(folder)/expected.bin.gz", limitBytes: 1 << 24)

  @Test(arguments: cases)
  func `an image is what Pillow makes of it`(one: Case) throws {
    let expected = try #require(Self.expected)
    let image = try SquareImage(
      decoding: Self.bytes(one.file), side: one.side, fit: one.fit, pixelsMax: 1_000_000)
    #expect(image.bitmap.width == one.side && image.bitmap.height == one.side)
    try #require(image.bitmap.channels == one.channels)
    let samples = image.bitmap.samples
    let differences = samples.indices.map { abs(Int(samples[$0]) - Int(expected[one.offset + $0])) }
    let mean = Double(differences.reduce(0, +)) / Double(differences.count)
    // JPEG is decoded smaller, and another version of a decoder rounds otherwise; all else is the same but
    // for the rounding of an enlarged image.
    let isExact = one.file.hasSuffix(".png") || one.file.hasPrefix("lossless")
    #expect(mean <= (one.isScaled ? 1.5 : isExact ? (one.side > 67 ? 0.2 : 0.001) : 1), "\(mean)")
    if isExact { #expect((differences.max() ?? 0) <= 1) }
  }

  @Test func `there are cases of every format`() {
    #expect(Self.cases.count >= 90)
    for ending in ["png", "jpg", "webp"] {
      #expect(Self.cases.contains { $0.file.hasSuffix(ending) })
    }
  }
}
