import Datasets
import Gzip
import Recipe
import Support
import Testing

@testable import Importing

@Suite struct ArrayImportTests {
  private typealias Entry = ArchiveBuilder.Entry

  /// A `.npy` file, version 1.
  private func npy(_ type: String, _ shape: [Int], _ content: [UInt8]) -> [UInt8] {
    let sizes = shape.map { "\($0)" }.joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let text = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    let header = Array((text + String(repeating: " ", count: 117 - text.utf8.count) + "\n").utf8)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + content
  }

  private func idx(_ type: UInt8, _ shape: [Int], _ content: [UInt8]) -> [UInt8] {
    let numbers = shape.flatMap { value in (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }
    return [0, 0, type, UInt8(shape.count)] + numbers + content
  }

  private func pixels(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) } }

  @Test func `npz with train and test arrays is taken as it is`() throws {
    let files = try ImportFolder()
    let train = pixels(3 * 256)
    let entries = [
      Entry("x_train.npy", npy("|u1", [3, 16, 16], train)),
      Entry(
        "y_train.npy",
        npy(
          "<i8", [3],
          [
            5, 0, 0, 0, 0, 0, 0, 0, 251, 255, 255, 255, 255, 255, 255, 255, 5, 0, 0, 0, 0, 0, 0, 0,
          ])),
      Entry("x_test.npy", npy("|u1", [1, 16, 16], pixels(256))),
      Entry("y_test.npy", npy("|u1", [1, 1], [5])),
    ]
    let dataset = try files.dataset(try files.write(ArchiveBuilder.zip(entries), "a.npz"))
    #expect(dataset.classes == ["-5", "5"])
    #expect(dataset.counts == [.train: 3, .test: 1])
    #expect(dataset.planes == 1)
    #expect(try files.read("train.images") == train)
    #expect(try files.read("train.labels") == [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    #expect(try files.read("train.paths") == Array("x_train.npy#0\nx_train.npy#1\nx_train.npy#2\n".utf8))
  }

  @Test(arguments: [[2, 16, 16, 3], [2, 3, 16, 16]])
  func `colours may be last or second, and one file alone is unlabelled`(shape: [Int]) throws {
    let files = try ImportFolder()
    let bytes = pixels(2 * 768)
    let dataset = try files.dataset(try files.write(npy("|u1", shape, bytes), "x.npy"))
    #expect(dataset.planes == 3 && dataset.classes == nil)
    let planar = (0..<2).flatMap { image in
      (0..<3).flatMap { channel in (0..<256).map { bytes[image * 768 + $0 * 3 + channel] } }
    }
    #expect(try files.read("train.images") == (shape[3] == 3 ? planar : bytes))
  }

  @Test func `IDX with integer labels, gzipped, in a folder`() throws {
    let files = try ImportFolder()
    let labels = [0, 1, 0, 2, 1, 0, 0, 1, 1, 2].flatMap { [0, 0, 0, UInt8($0)] as [UInt8] }
    let entries = [
      Entry("m/images-idx3-ubyte.gz", Gzip.compress(idx(8, [10, 28, 28], pixels(7_840)))),
      Entry("m/labels-idx1-int", idx(0x0C, [10], labels)),
    ]
    let dataset = try files.dataset(try files.write(entries, below: "source"))
    #expect(dataset.classes == ["0", "1", "2"])
    #expect(dataset.counts == [.train: 7, .test: 3])
    #expect(dataset.splits[.test]?.classCounts == [1, 1, 1])
  }

  @Test func `CIFAR-10's archive is read with its names`() throws {
    let files = try ImportFolder()
    let record = [UInt8(9)] + pixels(3_072)
    let entries =
      (1...2).map { Entry("c/data_batch_\($0).bin", record + record) }
      + [Entry("c/test_batch.bin", record), Entry("c/readme.html", [65])]
    let dataset = try files.dataset(try files.write(Gzip.compress(ArchiveBuilder.tar(entries)), "c.tar.gz")) {
      $0.side = 32
    }
    #expect(dataset.classes?.last == "truck")
    #expect(dataset.counts == [.train: 4, .test: 1])
    #expect(try files.read("test.images") == pixels(3_072))
  }

  @Test func `STL-10 is stored by columns, and its unlabelled part alone is a dataset`() throws {
    let area = 96 * 96
    let image = (0..<(3 * area)).map { UInt8(truncatingIfNeeded: $0 % area / 96 &* 2) }
    let stl = [
      Entry("s/train_X.bin", image + image), Entry("s/train_y.bin", [1, 10]), Entry("s/test_X.bin", image),
      Entry("s/test_y.bin", [10]), Entry("s/unlabeled_X.bin", image),
    ]
    let files = try ImportFolder()
    let dataset = try files.dataset(try files.write(ArchiveBuilder.tar(stl), "stl.tar")) { $0.side = 96 }
    #expect(dataset.counts == [.train: 2, .test: 1])
    #expect(dataset.skipped.map(\.path) == ["s/unlabeled_X.bin"])
    // The file goes down the columns: the value is that of the column.
    #expect(try files.read("test.images")[..<96].elementsEqual((0..<96).map { UInt8($0 * 2 & 255) }))
    let alone = try ImportFolder()
    let unlabelled = try alone.dataset(try alone.write([stl[4]], below: "source"))
    #expect(unlabelled.classes == nil && unlabelled.counts == [.train: 1])
  }

  @Test func `numbers that lie are an error that names the file`() throws {
    let image = npy("|u1", [2, 16, 16], pixels(512))
    let cases: [(name: String, entries: [Entry], word: String)] = [
      ("cut", [Entry("x.npy", Array(image.dropLast()))], "too short"),
      ("more", [Entry("x.npy", image + [1])], "1 bytes after"),
      ("float", [Entry("x.npy", npy("<f4", [1, 16, 16], pixels(1_024)))], "uint8"),
      ("count", [Entry("x.npy", image), Entry("y.npy", npy("|u1", [3], [0, 1, 2]))], "another number"),
      ("huge", [Entry("x.npy", npy("|u1", [1 << 30, 1 << 20, 1 << 20], []))], "too large"),
      ("channels", [Entry("x.npy", npy("|u1", [2, 4, 4, 5], pixels(160)))], "channels"),
      ("magic", [Entry("x.npy", [1, 2, 3, 4, 5, 6, 7, 8, 9])], "magic"),
      ("idx", [Entry("train-images-idx3-ubyte", idx(8, [1 << 31, 28, 28], []))], "train-images"),
      ("label", [Entry("data_batch_1.bin", [10] + pixels(3_072))], "record 0"),
      ("record", [Entry("data_batch_1.bin", [1] + pixels(3_000))], "record 0"),
      ("only labels", [Entry("y.npy", npy("|u1", [3], [0, 1, 2]))], "no images"),
    ]
    for (name, entries, word) in cases {
      let files = try ImportFolder()
      let error = #expect(throws: ImportError.self, "\(name)") {
        try files.run(try files.write(ArchiveBuilder.tar(entries), "upload"))
      }
      #expect("\(error.map { "\($0)" } ?? "")".contains(word), "\(name): \(String(describing: error))")
      #expect(files.names == ["tmp", "upload"])
    }
  }
}
