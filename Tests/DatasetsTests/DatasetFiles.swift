import Foundation

@testable import Datasets

/// A temporary folder of dataset files in their exact formats; removed with the value's last reference.
final class DatasetFiles {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "datasets-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    // A folder that stays behind in the temporary folder harms nobody.
    try? FileManager.default.removeItem(at: folder)
  }

  var path: String { folder.path }

  func write(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: folder.appending(path: name))
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(at: folder.appending(path: name)) }

  /// A byte that depends on its place.
  static func pixel(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 8) }

  /// An IDX file of unsigned bytes.
  static func idx(_ dimensions: [Int], _ content: [UInt8]) -> [UInt8] {
    let numbers = dimensions.flatMap { value in (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }
    return [0, 0, 8, UInt8(dimensions.count)] + numbers + content
  }

  /// Four files as MNIST's with `height` × `width` images; labels count through `classes`.
  func writeIDX(train: Int, test: Int, height: Int, width: Int, classes: Int) throws {
    for (prefix, count) in [("train", train), ("t10k", test)] {
      let pixels = (0..<(count * height * width)).map { Self.pixel($0) }
      try write(Self.idx([count, height, width], pixels), "\(prefix)-images-idx3-ubyte")
      try write(Self.idx([count], (0..<count).map { UInt8($0 % classes) }), "\(prefix)-labels-idx1-ubyte")
    }
  }

  /// Records of CIFAR's binary version: the label bytes, then 3072 bytes.
  static func cifar(_ labels: [[UInt8]]) -> [UInt8] {
    labels.enumerated().flatMap { index, label in
      label + (0..<3072).map { pixel(index * 3072 + $0) }
    }
  }

  /// The six files of CIFAR-10 with three images each.
  func writeCIFAR10() throws {
    for name in (1...5).map({ "data_batch_\($0).bin" }) + ["test_batch.bin"] {
      try write(Self.cifar([[0], [9], [4]]), name)
    }
  }
}
