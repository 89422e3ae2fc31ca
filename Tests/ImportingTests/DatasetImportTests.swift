import Datasets
import Foundation
import Gzip
import Images
import Platform
import Recipe
import Support
import Testing

@testable import Importing

@Suite struct DatasetImportTests {
  private typealias Entry = ArchiveBuilder.Entry

  /// Twelve images of two classes.
  private let pets = (0..<12).map { Entry("\($0 % 2 == 0 ? "cat" : "dog")/\($0).png", PNGBuilder.png($0)) }

  @Test func `a folder and every kind of archive in any order give the same dataset on any threads`() throws {
    let files = try ImportFolder()
    let first = try files.dataset(try files.write(pets, below: "source"), threads: 1)
    let content = try ["train.images", "train.labels", "train.paths", "test.images"].map(files.read)
    #expect(first.counts == [.train: 10, .test: 2])
    #expect(first.classes == ["cat", "dog"])
    #expect(first.splits[.test]?.classCounts == [1, 1])
    #expect(first.skippedCount == 0)
    let mixed = pets.reversed().map { Entry("set/\(String(decoding: $0.name, as: UTF8.self))", $0.content) }
    let tar = ArchiveBuilder.tar(pets.shuffled())
    for (bytes, threads) in [(tar, 3), (Gzip.compress(tar), 2), (ArchiveBuilder.zip(mixed), 1)] {
      let other = try ImportFolder()
      let dataset = try other.dataset(try other.write(bytes, "upload"), threads: threads)
      #expect(dataset.fingerprint == first.fingerprint)
      #expect(try other.read("train.images") == content[0])
      #expect(try other.read("train.labels") == content[1])
      #expect(try other.read("test.images") == content[3])
      #expect(other.names == ["datasets", "upload"])
    }
    let paths = try String(decoding: files.read("train.paths"), as: UTF8.self).split(separator: "\n")
    #expect(paths.count == 10)
    #expect(paths == paths.sorted { NaturalOrder.isBefore(Array($0.utf8), Array($1.utf8)) })
  }

  @Test func `the images are those that the decoder makes, grey ones in one plane`() throws {
    for channels in [1, 3] {
      let files = try ImportFolder()
      let images = (0..<3).map { PNGBuilder.png($0, channels: channels) }
      let source = try files.write(images.enumerated().map { Entry("\($0).png", $1) }, below: "source")
      let dataset = try files.dataset(source) { $0.fit = .contain }
      #expect(dataset.planes == channels)
      #expect(dataset.classes == nil)
      #expect(dataset.counts == [.train: 3])
      let expected = try images.flatMap {
        try SquareImage(decoding: $0, side: 16, fit: .contain, pixelsMax: 1_000).bitmap.planes(channels)
      }
      #expect(try files.read("train.images") == expected)
    }
  }

  @Test func `one image in colour makes three planes of all`() throws {
    let files = try ImportFolder()
    let entries = [Entry("1.png", PNGBuilder.png(1, channels: 1)), Entry("2.png", PNGBuilder.png(2))]
    #expect(try files.dataset(try files.write(entries, below: "source")).planes == 3)
    let pixels = try files.read("train.images")
    #expect(pixels.count == 2 * 3 * 256)
    #expect(pixels[..<256] == pixels[256..<512] && pixels[..<256] == pixels[512..<768])
  }

  @Test func `train and test folders stay what they are`() throws {
    let files = try ImportFolder()
    let entries = [
      Entry("s/train/a/1.png", PNGBuilder.png(1)), Entry("s/test/b/2.png", PNGBuilder.png(2)),
      Entry("s/train/b/3.png", PNGBuilder.png(3)),
    ]
    let dataset = try files.dataset(try files.write(ArchiveBuilder.zip(entries), "upload")) {
      $0.testShare = 0.5
    }
    #expect(dataset.counts == [.train: 2, .test: 1])
    #expect(try files.read("test.labels") == [1, 0, 0, 0])
  }

  @Test func `what is not believed is left out with a reason, and nothing is written elsewhere`() throws {
    let files = try ImportFolder()
    let image = PNGBuilder.png(5)
    let odd = [
      Entry("../../outside.png", image), Entry("/tmp/absolute-\(UUID().uuidString).png", image),
      Entry("a/../../up.png", image), Entry("link.png", type: "2", target: "/etc/passwd"),
      Entry("hard.png", type: "1", target: "cat/0.png"), Entry("device.png", type: "3"),
      Entry("cat/inner.zip", ArchiveBuilder.zip(pets)), Entry("cat/notes.txt", Array("hello".utf8)),
      Entry([0x63, 0x61, 0x74, 0x2F, 0xFF, 0x2E, 0x70], image), Entry("cat/line\nend.png", image),
    ]
    let ignored = [Entry("cat/.DS_Store", [1]), Entry("__MACOSX/cat/._0.png", [1])]
    let bytes = ArchiveBuilder.tar(odd + pets + ignored)
    let dataset = try files.dataset(try files.write(bytes, "upload"))
    #expect(dataset.splits.values.reduce(0) { $0 + $1.count } == 12)
    #expect(dataset.skippedCount == odd.count)
    #expect(dataset.skipped.count == odd.count)
    for word in ["upwards", "absolute", "symbolic link", "hard link", "device", "archive itself", "UTF-8"] {
      #expect(dataset.skipped.contains { $0.reason.contains(word) }, "\(word)")
    }
    #expect(files.names == ["datasets", "upload"])
    let above = files.folder.deletingLastPathComponent()
    #expect(!FileManager.default.fileExists(atPath: above.appending(path: "outside.png").path))
  }

  @Test(
    arguments: [
      ("empty.png", []), ("text.jpg", Array("hello".utf8)), ("old.gif", Array("GIF89a".utf8)),
      ("cut.png", Array(PNGBuilder.png(3).dropLast(40))),
      ("large.png", PNGBuilder.png(1, width: 900, height: 900)),
      ("heavy.png", PNGBuilder.png(1, width: 300, height: 300) + [UInt8](repeating: 0, count: 3_000_000)),
    ] as [(String, [UInt8])])
  func `an image that cannot be decoded fails the import, or is left out`(name: String, bytes: [UInt8]) throws
  {
    let files = try ImportFolder()
    let source = try files.write(ArchiveBuilder.zip([Entry("cat/\(name)", bytes)] + pets), "upload")
    func limit(_ specification: inout ImportSpecification) {
      specification.limits.pixels = 500_000
      specification.limits.imageBytes = 2_900_000
    }
    let error = #expect(throws: ImportError.self) { try files.run(source, limit) }
    guard case .badImage(let path, let reason)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(path == "cat/\(name)")
    #expect(files.names.contains("datasets") == false)
    let dataset = try files.dataset(source) {
      limit(&$0)
      $0.onBadImage = .skip
    }
    #expect(dataset.skipped == [SkippedFile(path: "cat/\(name)", reason: reason)])
  }

  @Test(arguments: ["bytes", "entries", "ratio"])
  func `a limit on the whole fails the import by its name`(name: String) throws {
    let files = try ImportFolder()
    let zeros = Entry("zeros", [UInt8](repeating: 0, count: 70 << 20))
    let entries = name == "ratio" ? [zeros] + pets : pets
    let source = try files.write(Gzip.compress(ArchiveBuilder.tar(entries), level: 1), "upload")
    let error = #expect(throws: ImportError.self) {
      try files.run(source) {
        if name == "bytes" { $0.limits.bytes = 8_000 }
        if name == "entries" { $0.limits.entries = 11 }
        if name == "ratio" { $0.limits.ratio = 2 }
      }
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("the limit \"\(name)\""))
    #expect(!FileSystem.exists(files.result))
  }

  @Test func `an archive that is cut off fails, and nothing lies under the name`() throws {
    let tar = ArchiveBuilder.tar(pets)
    let halves = [tar, Gzip.compress(tar), ArchiveBuilder.zip(pets)].map { Array($0[..<($0.count / 2)]) }
    // Cut off between two entries: after the header and the blocks of the first one.
    let firstBytes = 512 + (pets[0].content.count + 511) / 512 * 512
    for bytes in halves + [Array(tar[..<firstBytes])] {
      let files = try ImportFolder()
      let source = try files.write(bytes, "upload")
      #expect(throws: ImportError.self) { try files.run(source) { $0.onBadImage = .skip } }
      #expect(!FileSystem.exists(files.result))
    }
  }

  @Test func `what is no source is refused`() throws {
    let files = try ImportFolder()
    #expect(throws: ImportError.self) { try files.run("/nowhere/at/all") }
    #expect(throws: ImportError.self) { try files.run(files.write(Array("text".utf8), "text")) }
    #expect(throws: ImportError.self) { try files.run(files.write([], "empty")) }
    #expect(throws: ImportError.self) { try files.run(files.write(ArchiveBuilder.tar([]), "none.tar")) }
    let texts = try files.write(ArchiveBuilder.tar([Entry("a.txt", [65])]), "texts")
    let error = #expect(throws: ImportError.self) { try files.run(texts) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("a.txt: is not a PNG"))
  }

  @Test func `a source outside the roots is refused, and a link that leads there is left out`() throws {
    let files = try ImportFolder()
    let inside = try files.write(pets, below: "inside")
    _ = try files.write([Entry("9.png", PNGBuilder.png(9))], below: "outside")
    try FileManager.default.createSymbolicLink(
      atPath: "\(inside)/cat/linked.png",
      withDestinationPath: files.folder.appending(path: "outside/9.png").path)
    let roots = try RootFolders([inside])
    func run(_ source: String) throws -> ImportOutcome {
      try DatasetImport(
        ImportSpecification(name: "a", path: "b", side: 16), source: source, roots: roots, work: files.work,
        result: files.result, threads: 1
      ).run(ImportFolder.Observer())
    }
    #expect(throws: ImportError.self) { try run(files.folder.appending(path: "outside").path) }
    guard case .finished(let dataset) = try run(inside) else { return }
    #expect(dataset.skipped.map(\.reason) == ["is a symbolic link"])
  }

  @Test func `an import that stops or dies starts over, and one that is done stays done`() throws {
    let files = try ImportFolder()
    let source = try files.write(pets, below: "source")
    for questions in 0..<20 {
      let outcome = try files.run(source, observer: .init(stopsAfter: questions))
      guard outcome == .stopped else { break }
      #expect(!FileSystem.exists(files.result))
    }
    try? FileManager.default.removeItem(atPath: files.result)
    // What a killed run leaves behind.
    _ = try files.write([1, 2, 3], "tmp/spool")
    _ = try files.write([1, 2, 3], "tmp/packed/train.images")
    let dataset = try files.dataset(source)
    #expect(!FileSystem.exists(files.work))
    let observer = ImportFolder.Observer()
    #expect(try files.run(source, observer: observer) == .finished(dataset))
    #expect(observer.progress.isEmpty)
  }

  @Test func `errors of an upload name the dataset and the entry, never where it lies`() throws {
    let files = try ImportFolder()
    func message(_ bytes: [UInt8], _ name: String) throws -> String {
      let source = try files.write(bytes, name)
      let work = DatasetImport(
        ImportSpecification(name: "pets", path: "upload", side: 16), source: source, work: files.work,
        result: files.result, threads: 1)
      let error = #expect(throws: ImportError.self) { try work.run(ImportFolder.Observer()) }
      let text = error.map { "\($0)" } ?? ""
      #expect(!text.contains(files.folder.path) && text.contains("dataset \"pets\""), "\(text)")
      return text
    }
    #expect(try message(Array("junk".utf8), "junk").contains("must be a tar"))
    let tar = ArchiveBuilder.tar(pets)
    #expect(try message(Array(tar[..<1_300]), "cut").contains("in or after its entry \"cat/0.png\""))
    let zip = Gzip.compress(tar)
    _ = try message(Array(zip[..<(zip.count / 2)]), "cut.gz")
    #expect(try message([], "empty").contains("must be"))
  }

  @Test func `all files that were left out are handed over, also where the import fails`() throws {
    let files = try ImportFolder()
    let texts = (0..<1_500).map { Entry("texts/\($0).txt", [65]) }
    let observer = ImportFolder.Observer()
    let outcome = try files.run(
      try files.write(ArchiveBuilder.tar(texts + pets), "upload"), observer: observer)
    guard case .finished(let dataset) = outcome else { throw ImportFolder.Stopped() }
    #expect(dataset.skippedCount == 1_500 && observer.skippedCount == 1_500)
    #expect(observer.skipped.count == 1_500 && observer.skipped.last?.path == "texts/1499.txt")
    #expect(Array(observer.skipped.prefix(SkippedFile.listedMax)) == dataset.skipped)
    let failing = ImportFolder.Observer()
    let other = try ImportFolder()
    let source = try other.write(ArchiveBuilder.tar(texts), "texts.tar")
    #expect(throws: ImportError.self) { try other.run(source, observer: failing) }
    #expect(failing.skipped.count == 1_500)
  }

  @Test func `progress counts what was done`() throws {
    let files = try ImportFolder()
    let observer = ImportFolder.Observer()
    _ = try files.run(
      try files.write(ArchiveBuilder.tar(pets + [Entry("a.txt")]), "upload"), observer: observer)
    let last = try #require(observer.progress.last)
    #expect(last.images == 12 && last.written == 12 && last.skipped == 1 && last.entries == 13)
    #expect(last.bytes == pets.reduce(0) { $0 + $1.content.count })
    #expect(last.imagesPerSecond > 0)
  }
}
