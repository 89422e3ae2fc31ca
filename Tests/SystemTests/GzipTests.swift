import Foundation
import Gzip
import Testing

@Suite struct GzipTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "gzip-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let file = folder.appending(path: name)
    try Data(bytes).write(to: file)
    return file.path
  }

  /// Runs the `gzip` tool with `arguments` and gives its standard output.
  private func gzipTool(_ arguments: [String]) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return [UInt8](output)
  }

  /// Neither random nor constant: `count` bytes that compress to about half.
  private func sample(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) & 0x3f }
  }

  @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 1_000_000], [0, 1, 6, 9])
  func `the gzip tool unpacks what compress packs, and the reader what the tool packs`(count: Int, level: Int)
    throws
  {
    defer { try? FileManager.default.removeItem(at: folder) }
    let bytes = sample(count)
    let packed = try write(Gzip.compress(bytes, level: level), "ours.gz")
    #expect(try gzipTool(["-dc", packed]) == bytes)
    #expect(try Gzip.decompressFile(packed, limitBytes: count) == bytes)
    let plain = try write(bytes, "plain")
    let theirs = try write(try gzipTool(["-c", plain]), "theirs.gz")
    #expect(try Gzip.decompressFile(theirs, limitBytes: count) == bytes)
  }

  @Test func `packs the same bytes alike, whatever the time, with a fixed header`() {
    let packed = Gzip.compress(sample(10_000))
    #expect(packed == Gzip.compress(sample(10_000)))
    #expect(Array(packed[..<10]) == [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
  }

  @Test func `compresses a stream of pieces into one member`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let bytes = sample(300_001)
    var compressor = GzipCompressor()
    var packed: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 1000) {
      packed += compressor.compress(Array(bytes[start..<min(start + 1000, bytes.count)]))
    }
    packed += compressor.finish()
    #expect(try Gzip.decompressFile(try write(packed, "pieces.gz"), limitBytes: 1 << 20) == bytes)
  }

  @Test func `reads all members of a file, in pieces of any size`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let bytes = sample(100_000)
    let members =
      Gzip.compress(Array(bytes[..<70_000])) + Gzip.compress([]) + Gzip.compress(Array(bytes[70_000...]))
    let path = try write(members, "members.gz")
    for size in [1 << 20, 4096, 999] {
      let reader = try GzipFileReader(path: path)
      var output: [UInt8] = []
      while true {
        let piece = try reader.read(upTo: size)
        if piece.isEmpty { break }
        output += piece
      }
      #expect(output == bytes)
      #expect(reader.fileOffset == members.count)
    }
  }

  @Test(arguments: [1, 2, 511, 65_536, 200_000])
  func `skips zeros after a member, as gunzip does`(zeros: Int) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let bytes = sample(70_000)
    let padding = [UInt8](repeating: 0, count: zeros)
    let padded = Gzip.compress(bytes) + padding
    let path = try write(padded, "padded.gz")
    #expect(try Gzip.decompressFile(path, limitBytes: 1 << 20) == bytes)
    #expect(try gzipTool(["-dcq", path]) == bytes)
    let two = try write(padded + padded, "two.gz")
    #expect(try Gzip.decompressFile(two, limitBytes: 1 << 20) == bytes + bytes)
    for (garbage, offset) in [([1, 2, 3], 0), ([0, 0x1f], 1), ([0x1f, 0x8c, 8], 0)] as [([UInt8], Int)] {
      let path = try write(padded + garbage, "garbage.gz")
      let error = GzipError.trailingBytes(
        file: path, offset: padded.count + offset, count: garbage.count - offset)
      #expect(throws: error) { try Gzip.decompressFile(path, limitBytes: 1 << 20) }
      #expect("\(error)".contains("neither zero padding nor another gzip member"))
    }
  }

  @Test func `refuses a file cut off anywhere, naming it and where it ends`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let packed = Gzip.compress(sample(2000))
    for count in 2..<packed.count {
      let path = try write(Array(packed[..<count]), "cut.gz")
      #expect(throws: GzipError.truncated(file: path, offset: count)) {
        try Gzip.decompressFile(path, limitBytes: 1 << 20)
      }
    }
  }

  @Test func `refuses damage by the check sum`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var packed = Gzip.compress(sample(2000), level: 0)
    packed[1000] ^= 1
    let path = try write(packed, "damaged.gz")
    let error = try #require(throws: GzipError.self) { try Gzip.decompressFile(path, limitBytes: 1 << 20) }
    guard case .corrupt(path, _, "incorrect data check") = error else {
      Issue.record("unexpected \(error)")
      return
    }
  }

  @Test func `stops at the limit`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = try write(Gzip.compress([UInt8](repeating: 0, count: 5_000_000)), "bomb.gz")
    #expect(throws: GzipError.tooLarge(file: path, limitBytes: 4_999_999)) {
      try Gzip.decompressFile(path, limitBytes: 4_999_999)
    }
  }

  @Test func `takes plain files only where the caller allows them`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let bytes = sample(100_000)
    let path = try write(bytes, "plain")
    #expect(throws: GzipError.notGzip(file: path)) { try GzipFileReader(path: path) }
    let reader = try GzipFileReader(path: path, allowsPlain: true)
    #expect(try reader.read(upTo: 70_000) + reader.read(upTo: 70_000) == bytes)
    #expect(try reader.read(upTo: 1).isEmpty)
  }

  @Test func `names a file that is not there`() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "absent.gz").path
    let error = try #require(throws: GzipError.self) { try GzipFileReader(path: path) }
    #expect("\(error)" == "cannot open \(path): No such file or directory")
  }
}
