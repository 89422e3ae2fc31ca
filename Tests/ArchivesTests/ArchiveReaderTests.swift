import Archives
import Foundation
import Gzip
import Platform
import Support
import Testing

@Suite struct ArchiveReaderTests {
  private typealias Entry = ArchiveBuilder.Entry

  /// A file of that content for as long as the value lives.
  private final class Temporary {
    let path = FileManager.default.temporaryDirectory.appending(path: "archive-\(UUID().uuidString)").path

    init(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: path)) }

    // A file that stays behind in the temporary folder harms nobody.
    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private struct Read: Equatable {
    let path: String?
    let kind: ArchiveEntry.Kind
    let content: [UInt8]
  }

  private func readAll(_ bytes: [UInt8]) throws -> [Read] {
    let file = try Temporary(bytes)
    let reader = try ArchiveReader(path: file.path)
    var found: [Read] = []
    while let entry = try reader.next() {
      var content: [UInt8] = []
      while case let piece = try reader.read(countMax: 1_000), !piece.isEmpty { content += piece }
      let path = entry.path.flatMap { String(validating: $0, as: UTF8.self) }
      found.append(Read(path: path, kind: entry.kind, content: content))
    }
    return found
  }

  private let entries = [
    Entry("a/1.txt", Array("one".utf8)), Entry("ü/2 3.bin", [UInt8](repeating: 7, count: 5_000)),
    Entry("empty"),
  ]

  private var expected: [Read] {
    entries.map {
      Read(path: String(validating: $0.name, as: UTF8.self), kind: .file, content: $0.content)
    }
  }

  @Test func `tar, tar.gz and zip are read by their content`() throws {
    let tar = ArchiveBuilder.tar(entries)
    for bytes in [tar, Gzip.compress(tar), ArchiveBuilder.zip(entries)] {
      #expect(try readAll(bytes) == expected)
    }
  }

  @Test func `tar.xz is read`() throws {
    // printf one > a.txt; tar --format=ustar -cJf one.tar.xz a.txt
    let bytes = try #require(Data(base64Encoded: Self.xz))
    #expect(try readAll(Array(bytes)) == [Read(path: "a.txt", kind: .file, content: Array("one".utf8))])
  }

  private static let xz =
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AHBdADCLiofEDvKXpPh1PcWp7dmXqh7QogOkQOAhrY5b"
    + "dde2GES8off3jtPoTMUqbu1it63wFen7Y6P+KKDlXGVbvNIw0wUtGHyFxYdtgNss7DSoodF3Iubw3VD0"
    + "Qs/mUFpIlRrqtnykfv5yyVkAgaJ9ZgAA9z6LkBOvbf4AAYwBgFAAAEWxohaxxGf7AgAAAAAEWVo="

  @Test func `links, devices and folders are named as what they are`() throws {
    let odd = [
      Entry("link", type: "2", target: "/etc/passwd"), Entry("hard", type: "1", target: "a/1.txt"),
      Entry("device", type: "3"), Entry("folder/", type: "5"), Entry("pipe", type: "6"),
    ]
    let kinds = try readAll(ArchiveBuilder.tar(odd)).map(\.kind)
    #expect(kinds == [.symbolicLink, .hardLink, .special, .folder, .special])
    let zipped = try readAll(ArchiveBuilder.zip([Entry("l", Array("/etc".utf8), type: "2")]))
    #expect(zipped.map(\.kind) == [.symbolicLink])
  }

  @Test func `a name that is not UTF-8 does not keep the next entry from being read`() throws {
    for bytes in [ArchiveBuilder.tar, ArchiveBuilder.zip].map({
      $0([Entry([0xFF, 0xFE, 0x61]), entries[0]])
    }) {
      let found = try readAll(bytes)
      #expect(found.map(\.path) == [nil, "a/1.txt"])
    }
  }

  @Test func `what is not an archive is refused`() throws {
    let texts: [[UInt8]] = [
      [], [1], Array("hello".utf8), [UInt8](repeating: 0x41, count: 10_000), [0x1F, 0x8B],
    ]
    for bytes in texts + [Gzip.compress(Array("plain".utf8))] {
      #expect(throws: ArchiveError.self, "\(bytes.prefix(8))") { try readAll(bytes) }
    }
    #expect(throws: ArchiveError.self) { try ArchiveReader(path: "/nowhere/at/all") }
  }

  @Test func `an archive that is cut off is an error`() throws {
    let large = [Entry("a", (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* $0) })]
    let tar = ArchiveBuilder.tar(large)
    for bytes in [tar, Gzip.compress(tar), ArchiveBuilder.zip(large)] {
      #expect(throws: ArchiveError.self) { try readAll(Array(bytes[..<(bytes.count / 2)])) }
    }
  }

  @Test func `bytes that come out are counted also where they are skipped`() throws {
    let tar = ArchiveBuilder.tar([Entry("zeros", [UInt8](repeating: 0, count: 8 << 20)), Entry("end")])
    let file = try Temporary(Gzip.compress(tar))
    let reader = try ArchiveReader(path: file.path)
    #expect(try reader.next() != nil)
    #expect(try reader.next() != nil)
    #expect(reader.bytesOut >= 8 << 20)
    #expect(reader.fileBytes < 1 << 20)
  }
}
