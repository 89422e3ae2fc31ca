import Foundation
import Gzip
import Platform
import Recipe
import Testing

@testable import Datasets

@Suite struct ReaderTests {
  private let catalog = DatasetCatalog()

  private func malformed(
    _ files: DatasetFiles, _ file: String, _ offset: Int, expected: String, found: String
  ) -> DatasetError {
    .malformed(file: "\(files.path)/\(file)", offset: offset, expected: expected, found: found)
  }

  // MARK: IDX

  @Test(arguments: [(28, 28, 32), (20, 31, 32), (40, 36, 40)])
  func `reads IDX files and centres the images on a black square`(height: Int, width: Int, side: Int) throws {
    let files = try DatasetFiles()
    try files.writeIDX(train: 7, test: 3, height: height, width: width, classes: 4)
    let dataset = try catalog.open("mnist-idx:\(files.path)", split: .train)
    #expect(dataset.count == 7 && dataset.side == side && dataset.planes == 1)
    #expect(dataset.labels == [0, 1, 2, 3, 0, 1, 2])
    #expect(dataset.classes == ["0", "1", "2", "3"])
    let (top, left) = ((side - height) / 2, (side - width) / 2)
    var expected = [UInt8](repeating: 0, count: 7 * side * side)
    for index in 0..<(7 * height * width) {
      let (image, row, column) = (index / (height * width), index / width % height, index % width)
      expected[(image * side + top + row) * side + left + column] = DatasetFiles.pixel(index)
    }
    #expect(dataset.pixels == expected)
    #expect(try catalog.open("mnist-idx:\(files.path)", split: .test).count == 3)
    #expect(
      try catalog.open("mnist-idx:\(files.path)", split: .train, limit: 2).pixels
        == Array(expected[..<(2 * side * side)]))
  }

  @Test func `reads gzipped IDX files and the other spelling of their names`() throws {
    let files = try DatasetFiles()
    try files.writeIDX(train: 5, test: 2, height: 8, width: 8, classes: 2)
    let plain = try catalog.open("mnist-idx:\(files.path)", split: .train)
    for (name, other) in [
      ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"),
      ("train-labels-idx1-ubyte", "train-labels.idx1-ubyte"),
    ] {
      let bytes = [UInt8](try Data(contentsOf: files.folder.appending(path: name)))
      try files.remove(name)
      try files.write(other.hasSuffix(".gz") ? Gzip.compress(bytes) : bytes, other)
    }
    let packed = try catalog.open("mnist-idx:\(files.path)", split: .train)
    #expect(packed.pixels == plain.pixels && packed.labels == plain.labels)
  }

  @Test func `computes mean and deviation of the padded training images`() throws {
    let files = try DatasetFiles()
    try files.writeIDX(train: 6, test: 2, height: 28, width: 28, classes: 2)
    let values = try catalog.open("mnist-idx:\(files.path)", split: .train).pixels.map { Double($0) / 255 }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    for split in DatasetSelection.Split.allCases {
      let statistics = try catalog.open("mnist-idx:\(files.path)", split: split, limit: 1).statistics
      for channel in 0..<3 {
        #expect(abs(statistics.mean[channel] - mean) < 1e-12)
        #expect(abs(statistics.std[channel] - variance.squareRoot()) < 1e-12)
      }
    }
  }

  @Test func `refuses IDX files that are wrong, with name, offset and what was expected`() throws {
    let files = try DatasetFiles()
    let images = "train-images-idx3-ubyte"
    let labels = "train-labels-idx1-ubyte"
    let pixels = [UInt8](repeating: 7, count: 3 * 16)
    let right = DatasetFiles.idx([3, 4, 4], pixels)
    let cases: [(String, [UInt8], Int, String, String)] = [
      (images, [0, 0, 9, 3] + right[4...], 0, "the bytes 0 0 8 3 of an IDX file of bytes", "0 0 9 3"),
      (images, Array(right[..<10]), 8, "4 bytes of the number of rows", "the end of the file after 2"),
      (images, DatasetFiles.idx([3, 4, 0], []), 12, "a height and width of 1 to 1024", "0"),
      (images, Array(right[..<40]), 4, "1 to 1 images, as many as the file can hold", "3"),
      (
        images, Gzip.compress(Array(right[..<40])), 16, "48 bytes of images 0 to 2",
        "the end of the file after 24"
      ),
      (images, DatasetFiles.idx([0, 4, 4], []), 4, "1 to 1 images, as many as the file can hold", "0"),
      (images, [], 0, "4 bytes of the magic number", "the end of the file after 0"),
      (images, right + [1], 64, "the end of the file", "1 more byte"),
      (images, Gzip.compress(right + [1]), 64, "the end of the file", "more bytes"),
      (labels, DatasetFiles.idx([2], [0, 1]), 4, "3 labels, one per image", "2"),
      (labels, DatasetFiles.idx([3], [0, 1]), 4, "1 to 2 labels, as many as the file can hold", "3"),
      (labels, DatasetFiles.idx([3], [0, 1, 1, 0, 0, 0]), 11, "the end of the file", "3 more bytes"),
    ]
    for (name, bytes, offset, expected, found) in cases {
      try files.writeIDX(train: 3, test: 3, height: 4, width: 4, classes: 2)
      try files.write(bytes, name)
      #expect(throws: malformed(files, name, offset, expected: expected, found: found)) {
        try catalog.open("mnist-idx:\(files.path)", split: .train)
      }
    }
  }

  @Test(arguments: [0xFFFF_FFFF, 0x8000_0000, 100_000_001])
  func `a header's word for more than the file can hold costs no memory`(count: Int) throws {
    let files = try DatasetFiles()
    try files.writeIDX(train: 3, test: 3, height: 4, width: 4, classes: 2)
    for packed in [false, true] {
      let labels = DatasetFiles.idx([count], [0, 1, 1])
      try files.write(packed ? Gzip.compress(labels) : labels, "train-labels-idx1-ubyte")
      let images = DatasetFiles.idx([count, 1024, 1024], [1, 2, 3])
      try files.write(packed ? Gzip.compress(images) : images, "t10k-images-idx3-ubyte")
      let before = ProcessMemory.peakResidentBytes
      for split in DatasetSelection.Split.allCases {
        #expect(throws: DatasetError.self) { try catalog.open("mnist-idx:\(files.path)", split: split) }
      }
      #expect(throws: DatasetError.self) { try catalog.check("mnist-idx:\(files.path)") }
      #expect(ProcessMemory.peakResidentBytes - before < 256 << 20)
    }
  }

  @Test func `a gzipped file of zeros is unpacked no further than its format allows`() throws {
    let files = try DatasetFiles()
    try files.writeCIFAR10()
    // Some 700 KB that unpack to more than the records allowed.
    var compressor = GzipCompressor(level: 1)
    var bomb: [UInt8] = []
    let piece = [UInt8](repeating: 0, count: 1 << 20)
    for _ in 0..<700 { bomb += compressor.compress(piece) }
    bomb += compressor.finish()
    try files.remove("data_batch_1.bin")
    try files.write(bomb, "data_batch_1.bin.gz")
    let error = try #require(throws: DatasetError.self) { try catalog.check("cifar10:\(files.path)") }
    #expect("\(error)".contains("at most \(CIFARFolder.recordsMax * 3073) bytes"))
  }

  @Test func `a pipe or a folder in place of a file is an error that says so`() throws {
    let files = try DatasetFiles()
    for format in ["mnist-idx", "cifar10"] {
      try files.writeIDX(train: 3, test: 3, height: 4, width: 4, classes: 2)
      try files.writeCIFAR10()
      for name in ["train-images-idx3-ubyte", "data_batch_1.bin"] {
        try files.remove(name)
        #expect(mkfifo("\(files.path)/\(name)", 0o600) == 0)
      }
      let error = try #require(throws: DatasetError.self) { try catalog.check("\(format):\(files.path)") }
      #expect("\(error)".contains("it is a FIFO (named pipe), must be a regular file"), "\(error)")
      for name in ["train-images-idx3-ubyte", "data_batch_1.bin"] { try files.remove(name) }
    }
  }

  @Test func `more images than may be in memory are refused before any is made`() throws {
    let name = "synthetic:side=512,count=10000000"
    let error = try #require(throws: DatasetError.self) { try catalog.open(name, split: .train) }
    #expect("\(error)".contains("64 GiB"))
    #expect(try catalog.open(name, split: .train, limit: 1).count == 1)
  }

  @Test func `the digest is that of the whole split, whatever the limit and the packing`() throws {
    let files = try DatasetFiles()
    try files.writeIDX(train: 5, test: 2, height: 8, width: 8, classes: 2)
    let name = "mnist-idx:\(files.path)"
    let whole = try catalog.open(name, split: .train).whole
    #expect(whole.count == 5 && whole.digest.pixels.count == 64)
    #expect(try catalog.open(name, split: .train, limit: 2).whole == whole)
    #expect(try catalog.describe(name).digests[.train] == whole.digest)
    let plain = [UInt8](try Data(contentsOf: files.folder.appending(path: "train-images-idx3-ubyte")))
    try files.remove("train-images-idx3-ubyte")
    try files.write(Gzip.compress(plain) + [0, 0, 0], "train-images-idx3-ubyte.gz")
    #expect(try catalog.open(name, split: .train).whole == whole)
    var changed = plain
    changed[plain.count - 1] ^= 1
    try files.write(Gzip.compress(changed), "train-images-idx3-ubyte.gz")
    let other = try catalog.open(name, split: .train, limit: 2).whole.digest
    #expect(other.pixels != whole.digest.pixels && other.labels == whole.digest.labels)
  }

  @Test(arguments: [
    ("cifar10", "data_batch_1"), ("cifar10", "cifar-10-batches-py/batches.meta"), ("cifar100", "meta"),
    ("cifar100-coarse", "cifar-100-python/train"),
  ])
  func `says that a folder has the Python version of CIFAR`(format: String, file: String) throws {
    let files = try DatasetFiles()
    let folder = files.folder.appending(path: file).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try files.write([0x80, 2], file)
    for roots in [nil, try RootFolders([files.path])] {
      let catalog = DatasetCatalog(roots: roots)
      let path = try FileSystem.resolve(files.path)
      let error = try #require(throws: DatasetError.self) { try catalog.check("\(format):\(path)") }
      let needed = format == "cifar10" ? "data_batch_1.bin to data_batch_5.bin" : "train.bin and test.bin"
      #expect(
        "\(error)".contains("belongs to the Python version of CIFAR-10") && "\(error)".contains(needed),
        "\(error)"
      )
    }
  }

  @Test func `refuses a test label that no training image has`() throws {
    let files = try DatasetFiles()
    try files.writeIDX(train: 4, test: 4, height: 4, width: 4, classes: 2)
    try files.write(DatasetFiles.idx([4], [0, 1, 2, 0]), "t10k-labels-idx1-ubyte")
    let error = malformed(
      files, "t10k-labels-idx1-ubyte", 10, expected: "a label of 0 to 1", found: "2")
    #expect(throws: error) { try catalog.open("mnist-idx:\(files.path)", split: .test) }
    #expect(throws: error) { try catalog.check("mnist-idx:\(files.path)") }
  }

  @Test func `names the package that brings Fashion-MNIST where it is missing`() throws {
    let files = try DatasetFiles()
    let catalog = DatasetCatalog(fashionMNISTRoot: files.path)
    let error = try #require(throws: DatasetError.self) { try catalog.check("fashion-mnist") }
    #expect("\(error)".contains("\(files.path)/train-images-idx3-ubyte"))
    #expect("\(error)".contains("apt-get install dataset-fashion-mnist"))
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: DatasetCatalog.fashionMNISTRootDefault)))
  func `Fashion-MNIST has the constants that it is normalised by`() throws {
    let train = try catalog.open("fashion-mnist", split: .train)
    #expect(train.count == 60_000 && train.side == 32 && train.planes == 1)
    #expect(try Array(train.requireLabels()[..<10]) == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5])
    var sums = StatisticsAccumulator(planes: 1)
    sums.add(train.pixels, area: 1024)
    for channel in 0..<3 {
      #expect(abs(sums.statistics.mean[channel] - train.statistics.mean[channel]) < 1e-12)
      #expect(abs(sums.statistics.std[channel] - train.statistics.std[channel]) < 1e-12)
    }
    let description = try catalog.describe("fashion-mnist")
    #expect(description.counts == [.train: 60_000, .test: 10_000])
    #expect(description.shape == [3, 32, 32] && description.classes.count == 10)
  }

  // MARK: CIFAR

  @Test func `reads the binary version of CIFAR-10`() throws {
    let files = try DatasetFiles()
    try files.writeCIFAR10()
    let train = try catalog.open("cifar10:\(files.path)", split: .train)
    #expect(train.count == 15 && train.side == 32 && train.planes == 3)
    #expect(try Array(train.requireLabels()[..<4]) == [0, 9, 4, 0])
    #expect(train.classes[9] == "truck")
    #expect(Array(train.pixels[..<9216]) == (0..<9216).map { DatasetFiles.pixel($0) })
    #expect(
      try catalog.open("cifar10:\(files.path)", split: .train, limit: 4).pixels
        == Array(train.pixels[..<(4 * 3072)]))
    let test = try catalog.open("cifar10:\(files.path)", split: .test)
    #expect(test.count == 3 && test.statistics == train.statistics)
    #expect(try catalog.describe("cifar10:\(files.path)").counts == [.train: 15, .test: 3])
  }

  @Test func `reads fine and coarse labels of CIFAR-100`() throws {
    let files = try DatasetFiles()
    for name in ["train.bin", "test.bin"] {
      try files.write(DatasetFiles.cifar([[19, 99], [0, 1]]), name)
    }
    let fine = try catalog.open("cifar100:\(files.path)", split: .train)
    #expect(fine.labels == [99, 1] && fine.classes.count == 100 && Set(fine.classes).count == 100)
    let coarse = try catalog.open("cifar100-coarse:\(files.path)", split: .test)
    #expect(coarse.labels == [19, 0] && coarse.classes.count == 20)
    #expect(coarse.pixels == (0..<6144).map { DatasetFiles.pixel($0) })
  }

  @Test func `refuses CIFAR files that are wrong, with name, offset and what was expected`() throws {
    let files = try DatasetFiles()
    try files.writeCIFAR10()
    try files.write(Array(DatasetFiles.cifar([[1], [2]]).dropLast()), "data_batch_3.bin")
    let short = malformed(
      files, "data_batch_3.bin", 3073, expected: "a record of 3073 bytes",
      found: "the end of the file after 3072")
    #expect(throws: short) { try catalog.check("cifar10:\(files.path)") }
    try files.write(DatasetFiles.cifar([[1], [10]]), "data_batch_3.bin")
    let label = malformed(files, "data_batch_3.bin", 3073, expected: "a label of 0 to 9", found: "10")
    #expect(throws: label) { try catalog.open("cifar10:\(files.path)", split: .train) }
    try files.remove("data_batch_2.bin")
    let error = try #require(throws: DatasetError.self) { try catalog.check("cifar10:\(files.path)") }
    #expect("\(error)".hasPrefix("\(files.path)/data_batch_2.bin is not there"))
  }

  // MARK: names

  @Test func `opens registered names and lists them`() throws {
    let files = try DatasetFiles()
    try files.writeCIFAR10()
    let catalog = DatasetCatalog(registered: ["mine": "cifar10:\(files.path)"])
    #expect(catalog.list() == ["fashion-mnist", "synthetic", "mine"])
    #expect(try catalog.open("mine", split: .test).count == 3)
  }

  @Test(arguments: ["", "mnist", "fashion-mnist:/x", "cifar10", "cifar11:/x", "Synthetic"])
  func `refuses an unknown name and lists the known ones`(name: String) throws {
    let error = try #require(throws: DatasetError.self) { try catalog.check(name) }
    guard case .unknown(name, _) = error else {
      Issue.record("unexpected \(error)")
      return
    }
    #expect("\(error)".contains("fashion-mnist, synthetic"))
  }
}
