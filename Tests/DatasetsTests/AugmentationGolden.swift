import Foundation
import Gzip
import Tensors
import Testing

@testable import Datasets

/// What torchvision made of small images (`Golden/make_golden.py`).
struct AugmentationGolden: Decodable {
  struct Picture: Decodable {
    var planes: Int
    var height: Int
    var width: Int
    var offset: Int
  }

  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var operation: String
    var image: String
    var side: Int
    var offset: Int
    var parameters: [String: Double]

    var testDescription: String {
      "\(operation) of \(image) to \(side): \(parameters.sorted { $0.key < $1.key })"
    }

    func float(_ name: String) -> Float? { parameters[name].map { Float($0) } }
    func integer(_ name: String) -> Int { Int(parameters[name] ?? 0) }

    var box: AugmentationDraw.Box {
      AugmentationDraw.Box(
        top: integer("top"), left: integer("left"), height: integer("height"), width: integer("width"))
    }
  }

  var mean: [Double]
  var std: [Double]
  var images: [String: Picture]
  var cases: [Case]

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden")
  static let table = Result {
    try JSONDecoder().decode(Self.self, from: Data(contentsOf: folder.appending(path: "augmentations.json")))
  }
  static let binary = Result {
    try Gzip.decompressFile(folder.appending(path: "augmentations.bin.gz").path, limitBytes: 1 << 24)
  }

  /// The cases of some operations.
  static func cases(_ operations: String...) -> [Case] {
    ((try? table.get())?.cases ?? []).filter { operations.contains($0.operation) }
  }

  /// The bytes of a picture, `[planes][height][width]`.
  static func pixels(_ picture: Picture) throws -> [UInt8] {
    let count = picture.planes * picture.height * picture.width
    return Array(try binary.get()[picture.offset..<(picture.offset + count)])
  }

  /// torchvision's result, `[3][side][side]`.
  static func expected(_ golden: Case) throws -> [Float] {
    let bytes = try binary.get()
    return (0..<(3 * golden.side * golden.side)).map { index in
      let start = golden.offset + 4 * index
      let pattern = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
      return Float(bitPattern: pattern)
    }
  }
}
