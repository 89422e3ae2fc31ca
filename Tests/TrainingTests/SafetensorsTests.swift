import Gzip
import Testing

@testable import Training

@Suite("Safetensors")
struct SafetensorsTests {
  private static let file = TensorFile(
    metadata: ["format": "pt", "note": "a \"quoted\" line\n"],
    tensors: [
      "encoder.conv1.weight": TensorValue(
        shape: [2, 3], .float32([1, -2, 3.5, .leastNonzeroMagnitude, -0.0, 1e30])),
      "encoder.bn1.num_batches_tracked": TensorValue(shape: [], .int64([-7])),
      "empty": TensorValue(shape: [0, 4], .float32([])),
    ])

  private static func bytes(_ file: TensorFile) -> [UInt8] {
    var bytes: [UInt8] = []
    SafetensorsWriter.write(file) { bytes += $0 }
    return bytes
  }

  /// Reads `bytes`, handed over in pieces of at most `piece`.
  private static func read(_ bytes: [UInt8], piece: Int = .max) throws -> TensorFile {
    var rest = bytes[...]
    return try SafetensorsReader.read { count in
      let part = rest.prefix(min(count, piece))
      rest = rest.dropFirst(part.count)
      return Array(part)
    }
  }

  /// The bytes of a file with this header and data.
  private static func bytes(header: String, data: [UInt8] = []) -> [UInt8] {
    let length = UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> UInt64(8 * $0)) } + Array(header.utf8) + data
  }

  @Test(arguments: [1, 7, .max]) func `reads back what it wrote, in pieces of any size`(piece: Int) throws {
    #expect(try Self.read(Self.bytes(Self.file), piece: piece) == Self.file)
  }

  @Test func `puts the header's length first and aligns the data to it`() {
    let bytes = Self.bytes(Self.file)
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(length % 8 == 0)
    #expect(bytes[8] == UInt8(ascii: "{"))
    #expect(bytes.count == 8 + length + 8 + 24)
    // The scalar of 64 bits comes first, little-endian.
    #expect(Array(bytes[(8 + length)..<(16 + length)]) == [0xf9] + [UInt8](repeating: 0xff, count: 7))
  }

  @Test func `writes the same bytes whatever the order in which tensors were added`() {
    var other = TensorFile(metadata: [:], tensors: [:])
    for (key, value) in Self.file.metadata.sorted(by: >) { other.metadata[key] = value }
    for (name, value) in Self.file.tensors.sorted(by: { $0.key > $1.key }) { other.tensors[name] = value }
    #expect(Self.bytes(other) == Self.bytes(Self.file))
  }

  @Test func `refuses a file that was cut off at any byte`() {
    let bytes = Self.bytes(Self.file)
    for count in 0..<bytes.count {
      #expect(throws: SafetensorsError.self) { try Self.read(Array(bytes.prefix(count))) }
    }
  }

  @Test func `says where a cut-off file ends`() throws {
    let bytes = Self.bytes(Self.file)
    let error = try #require(throws: SafetensorsError.self) { try Self.read(Array(bytes.dropLast(3))) }
    #expect(
      error
        == .truncated(part: "tensor \"encoder.conv1.weight\"", offset: bytes.count - 3, expectedBytes: 3))
    #expect(error.description.contains("ends at byte \(bytes.count - 3)"))
  }

  @Test func `refuses bytes after the last tensor`() {
    let bytes = Self.bytes(Self.file)
    #expect(throws: SafetensorsError.trailingBytes(offset: bytes.count)) { try Self.read(bytes + [0]) }
  }

  @Test func `refuses a header longer than any real one before reading it`() {
    #expect(throws: SafetensorsError.headerLength(.max, limit: SafetensorsReader.headerBytesMax)) {
      try Self.read([UInt8](repeating: 0xff, count: 64))
    }
  }

  @Test(arguments: [
    (#" {"a":1}"#, "does not begin"), (#"{"a":"#, "is not JSON"), (#"{"__metadata__":3}"#, "not an object"),
    (#"{"__metadata__":{"k":3}}"#, "__metadata__.k"),
  ])
  func `refuses a header that is not the object it should be`(header: String, said: String) throws {
    let error = try #require(throws: SafetensorsError.self) { try Self.read(Self.bytes(header: header)) }
    #expect(error.description.contains(said))
  }

  @Test(arguments: [
    (#"{"t":{"dtype":"F32","shape":[1]}}"#, "and nothing else"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}"#, "and nothing else"),
    (#"{"t":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#, "dtype"),
    (#"{"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "natural"),
    (#"{"t":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, "natural"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "[begin, end]"),
    (#"{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "4 bytes of data where its shape needs 8"),
    (#"{"t":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}}"#, "too large"),
    (#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "begins at data byte 4, where 0 is next"),
    (
      #"{"s":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
        + #""t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      "where 4 is next"
    ),
  ])
  func `refuses a wrong entry and names its tensor`(header: String, said: String) throws {
    let bytes = Self.bytes(header: header, data: [0, 0, 0, 0, 0, 0, 0, 0])
    let error = try #require(throws: SafetensorsError.self) { try Self.read(bytes) }
    #expect(error.description.contains("\"t\""))
    #expect(error.description.contains(said))
  }

  @Test func `survives any single damaged byte of the header`() {
    let bytes = Self.bytes(Self.file)
    for index in 0..<min(bytes.count, 300) {
      var damaged = bytes
      damaged[index] ^= 0x15
      // A changed name or value is still a safetensors file; what counts is that nothing traps.
      _ = try? Self.read(damaged)
    }
  }
}
