import Crypto
import JSONText
import Platform
import Recipe
import Testing
import Text

@testable import Datasets

@Suite struct PackedDatasetTests {
  /// Image `index` of `[planes][side][side]`.
  private func image(_ index: Int, _ planes: Int, _ side: Int) -> [UInt8] {
    (0..<(planes * side * side)).map { DatasetFiles.pixel(index * planes * side * side + $0) }
  }

  private func write(_ folder: String, labelled: Bool = true, planes: Int = 3) throws -> PackedDataset {
    let writer = try PackedWriter(
      folder: folder, side: 16, planes: planes, classes: labelled ? ["cat", "dog"] : nil)
    for index in 0..<5 {
      try writer.append(
        image(index, planes, 16), label: labelled ? index % 2 : nil, path: ByteString("a/\(index).png"),
        to: index == 4 ? .test : .train)
    }
    return try writer.finish(
      name: "pets", source: "pets.zip", skipped: [SkippedFile(path: "b.txt", reason: "not an image")],
      skippedCount: 7)
  }

  @Test(arguments: [true, false], [1, 3])
  func `what is written reads back equal`(labelled: Bool, planes: Int) throws {
    let files = try DatasetFiles()
    let folder = "\(files.path)/packed"
    let written = try write(folder, labelled: labelled, planes: planes)
    try FileSystem.rename(folder, to: "\(files.path)/pets")
    let read = try PackedDataset.read(folder: "\(files.path)/pets")
    #expect(read == written)
    #expect(read.counts == [.train: 4, .test: 1])
    #expect(read.splits[.train]?.classCounts == (labelled ? [2, 2] : nil))
    #expect(read.bytes == 5 * planes * 256 + (labelled ? 20 : 0) + 40)
    for split in DatasetSelection.Split.allCases {
      for part in PackedFormat.Part.allCases where labelled || part != .labels {
        #expect(read.isUnchanged(split, part, folder: "\(files.path)/pets"))
      }
    }
    let pixels = (0..<4).flatMap { image($0, planes, 16) }
    let content = try File.content(of: "\(files.path)/pets/train.images", .other)
    #expect(content == pixels)
    #expect(read.splits[.train]?.digest.pixels == hexadecimal(SHA256.digest(of: pixels)))
    var sums = StatisticsAccumulator(planes: planes)
    sums.add(pixels, area: 256)
    #expect(read.statistics == sums.statistics)
  }

  @Test func `digests are those of the same images in memory`() throws {
    let files = try DatasetFiles()
    let written = try write("\(files.path)/packed")
    let images = LabelledPixels(pixels: (0..<4).flatMap { image($0, 3, 16) }, labels: [0, 1, 0, 1])
    #expect(written.splits[.train]?.digest == SplitDigest(of: images))
    #expect(written.fingerprint.splits[.test]?.images == 1)
  }

  @Test func `a file of another size is found, and one of another time is not believed`() throws {
    let files = try DatasetFiles()
    let written = try write("\(files.path)/packed")
    let copy = try File.content(of: "\(files.path)/packed/train.images", .other)
    try files.write(copy, "packed/train.images")
    #expect(!written.isUnchanged(.train, .images, folder: "\(files.path)/packed"))
    #expect(try PackedDataset.read(folder: "\(files.path)/packed") == written)
    try files.write(copy.dropLast(), "packed/train.images")
    let error = #expect(throws: DatasetError.self) { try PackedDataset.read(folder: "\(files.path)/packed") }
    #expect("\(error.map { "\($0)" } ?? "")".contains("expected 3072 bytes"))
    try files.remove("packed/train.images")
    #expect(throws: DatasetError.self) { try PackedDataset.read(folder: "\(files.path)/packed") }
  }

  @Test func `a description that lacks or bends a member is refused`() throws {
    let files = try DatasetFiles()
    let written = try write("\(files.path)/packed")
    guard case .object(let members) = written.json else { return }
    let path = "packed/\(PackedFormat.manifestName)"
    for key in members.keys where key != "counts" && key != "class_counts" {
      for value in [nil, JSON.integer(-1), .string("x")] as [JSON?] {
        if key == "name" || key == "source", value?.string != nil { continue }
        var bent = members
        bent[key] = value
        try files.write(JSON.object(bent).utf8, path)
        #expect(throws: DatasetError.self, "\(key)") {
          try PackedDataset.read(folder: "\(files.path)/packed")
        }
      }
    }
  }
}
