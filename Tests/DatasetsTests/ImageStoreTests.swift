import Parallel
import Platform
import Recipe
import Tensors
import Testing
import Text

@testable import Datasets

@Suite struct ImageStoreTests {
  private func write(_ folder: String, count: Int = 9, labelled: Bool = true) throws -> PackedDataset {
    let writer = try PackedWriter(
      folder: folder, side: 16, planes: 3, classes: labelled ? ["cat", "dog"] : nil)
    for index in 0..<count {
      let image = (0..<768).map { DatasetFiles.pixel(index * 768 + $0) }
      try writer.append(
        image, label: labelled ? index % 2 : nil, path: ByteString("\(index).png"),
        to: index % 3 == 2 ? .test : .train)
    }
    return try writer.finish(name: "pets", source: "pets.zip", skipped: [], skippedCount: 0)
  }

  @Test func `a packed dataset opens by its folder, whole or its first images`() throws {
    let files = try DatasetFiles()
    let written = try write("\(files.path)/pets")
    let catalog = DatasetCatalog()
    let train = try catalog.open("packed:\(files.path)/pets", split: .train)
    #expect(train.count == 6 && train.classes == ["cat", "dog"])
    #expect(train.labels == [0, 1, 1, 0, 0, 1])
    #expect(
      train.pixels
        == [0, 1, 3, 4, 6, 7].flatMap { image in (0..<768).map { DatasetFiles.pixel(image * 768 + $0) } })
    #expect(train.whole == .init(count: 6, digest: try #require(written.splits[.train]?.digest)))
    #expect(train.statistics == written.statistics)
    let first = try catalog.open("packed:\(files.path)/pets", split: .train, limit: 2)
    #expect(first.count == 2 && first.labels == [0, 1] && first.whole == train.whole)
    #expect(first.pixels == Array(train.pixels[..<1536]))
    let description = try catalog.describe("packed:\(files.path)/pets")
    #expect(description.fingerprint == written.fingerprint)
    #expect(description.extent == (try catalog.extent("packed:\(files.path)/pets")))
    #expect(try catalog.locate("packed:\(files.path)/pets").files.count == 7)
  }

  @Test func `unlabelled images train, and say so where labels are needed`() throws {
    let files = try DatasetFiles()
    _ = try write("\(files.path)/pets", labelled: false)
    let name = "packed:\(files.path)/pets"
    let train = try DatasetCatalog().open(name, split: .train)
    #expect(train.labels == nil && train.classes == [] && train.count == 6)
    #expect(throws: DatasetError.unlabelled(name: name, split: .train)) { try train.requireLabels() }
    #expect(train.prefix(2).labels == nil)
  }

  @Test func `a split that a dataset does not have is empty`() throws {
    let files = try DatasetFiles()
    _ = try write("\(files.path)/pets", count: 2)
    #expect(try DatasetCatalog().open("packed:\(files.path)/pets", split: .test).count == 0)
  }

  @Test func `a file that was copied is read through, and one with other content is refused`() throws {
    let files = try DatasetFiles()
    _ = try write("\(files.path)/pets")
    let name = "packed:\(files.path)/pets"
    for part in ["train.images", "train.labels"] {
      var bytes = try File.content(of: "\(files.path)/pets/\(part)", .other)
      try files.write(bytes, "pets/\(part)")
      #expect(try DatasetCatalog().open(name, split: .train).count == 6)
      bytes[0] ^= 1
      try files.write(bytes, "pets/\(part)")
      let error = #expect(throws: DatasetError.self) { try DatasetCatalog().open(name, split: .train) }
      #expect("\(error.map { "\($0)" } ?? "")".contains("as it was imported"))
      #expect(try DatasetCatalog().open(name, split: .test).count == 3)
      bytes[0] ^= 1
      try files.write(bytes, "pets/\(part)")
    }
  }

  @Test func `a packed dataset lies below a root unless the program has registered it`() throws {
    let files = try DatasetFiles()
    _ = try write("\(files.path)/pets")
    let name = "packed:\(files.path)/pets"
    let catalog = DatasetCatalog(registered: ["pets": name], roots: .empty)
    #expect(throws: DatasetError.outsideRoots(areSet: false)) { try catalog.open(name, split: .train) }
    #expect(try catalog.open("pets", split: .train).count == 6)
    let rooted = DatasetCatalog(roots: try RootFolders([files.path]))
    #expect(try rooted.open(name, split: .train).count == 6)
    #expect(throws: DatasetError.self) { try catalog.open("packed:", split: .train) }
  }

  @Test func `views of mapped images are those of images in memory`() throws {
    let files = try DatasetFiles()
    _ = try write("\(files.path)/pets")
    let memory = try DatasetCatalog().open("packed:\(files.path)/pets", split: .train)
    let file = try MappedFile(File("\(files.path)/pets/train.images", .read))
    let mapped = ImageDataset(
      name: memory.name, split: .train, classes: memory.classes, side: 16, planes: 3,
      images: ImageStore(file, imageBytes: 768, count: 6), labels: memory.labels,
      statistics: memory.statistics, whole: memory.whole)
    #expect(mapped.images.isMapped && !memory.images.isMapped)
    #expect(mapped.pixels == memory.pixels)
    #expect(mapped.firstPlanes.pixels == memory.firstPlanes.pixels)
    #expect(mapped.prefix(3).pixels == memory.prefix(3).pixels)
    for side in [16, 20] {
      let views = try [memory, mapped].map { dataset -> [Float] in
        let loader = try BatchLoader(
          dataset: dataset, views: [.plain, .mirrored, .random(.seed, branch: 1)], side: side, seed: 3,
          team: ThreadTeam(threads: 2))
        let count = loader.viewFloats(6)
        let output = try Arena(reservedBytes: 4 * count + 64).allocate(count)
        loader.load([5, 0, 3, 1, 2, 4], epoch: 1, into: output)
        return output.array
      }
      #expect(views[0] == views[1])
    }
  }

  @Test func `a million images open at once and are not held in memory`() throws {
    let files = try DatasetFiles()
    let small = try write("\(files.path)/many", labelled: false)
    let count = 1_000_000
    let images = try File("\(files.path)/many/train.images", .readWrite)
    try images.truncate(to: 0)
    try images.truncate(to: count * 768)
    var large = small
    let now = try FileIdentity(of: images)
    large.splits[.train]?.count = count
    large.splits[.train]?.files[.images] = PackedDataset.FileStamp(
      bytes: now.bytes, inode: now.inode, modified: now.modified)
    try files.write(large.json.utf8, "many/\(PackedFormat.manifestName)")
    let start = SystemClock.monotonicNanoseconds
    let before = ProcessMemory.peakResidentBytes
    let dataset = try DatasetCatalog().open("packed:\(files.path)/many", split: .train)
    #expect(SystemClock.monotonicNanoseconds - start < 1_000_000_000)
    #expect(dataset.images.isMapped && dataset.count == count)
    var sum = 0
    for index in stride(from: 0, to: count, by: 7) { dataset.images.withImage(index) { sum += Int($0[0]) } }
    #expect(sum == 0)
    #expect(ProcessMemory.peakResidentBytes - before < 3 * MappedFile.keptBytesMax)
  }
}
