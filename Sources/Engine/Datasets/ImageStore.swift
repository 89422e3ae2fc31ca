import Platform

/// The pixels of a split: in memory for the small, in a mapped file for the large.
///
/// A packed dataset of which a split has more than `memoryBytesMax` bytes is not read when it is opened: its
/// file is mapped, and each image is fetched when it is needed. All else lies in memory.
package struct ImageStore: Sendable {
  /// Bytes of one split's images that are read into memory at most.
  package static let memoryBytesMax = 256 << 20

  private enum Place: Sendable {
    case memory([UInt8])
    case file(MappedFile)
  }

  private let place: Place
  /// Bytes of one image.
  private let imageBytes: Int
  /// Number of images.
  package let count: Int

  /// Images in memory, `[count][imageBytes]`.
  init(_ bytes: [UInt8], imageBytes: Int) {
    precondition(bytes.count % imageBytes == 0, "only whole images can be stored")
    place = .memory(bytes)
    self.imageBytes = imageBytes
    count = bytes.count / imageBytes
  }

  /// The first images of a mapped file, which has as many at least.
  init(_ file: MappedFile, imageBytes: Int, count: Int) {
    precondition(file.bytesCount / imageBytes >= count, "the file has fewer images")
    place = .file(file)
    self.imageBytes = imageBytes
    self.count = count
  }

  /// Whether the images lie in a file and not in memory.
  package var isMapped: Bool { if case .file = place { true } else { false } }

  /// Hands out the bytes of one image. Allocates nothing.
  @inline(__always)
  package func withImage<Result>(_ index: Int, _ body: (Span<UInt8>) -> Result) -> Result {
    precondition(index >= 0 && index < count, "the index of an image must be below their number")
    let range = (index * imageBytes)..<((index + 1) * imageBytes)
    switch place {
    case .memory(let bytes): return body(bytes.span.extracting(range))
    case .file(let file): return file.withBytes(range, body)
    }
  }

  /// The first images; the same memory or file where it can be.
  func prefix(_ limit: Int) -> ImageStore {
    if limit >= count { return self }
    switch place {
    case .memory(let bytes): return ImageStore(Array(bytes[..<(limit * imageBytes)]), imageBytes: imageBytes)
    case .file(let file): return ImageStore(file, imageBytes: imageBytes, count: limit)
    }
  }

  /// All bytes in memory; of a mapped file they are read now.
  var bytes: [UInt8] {
    switch place {
    case .memory(let bytes): return bytes
    case .file(let file):
      return file.withBytes(0..<(count * imageBytes)) { span in
        unsafe [UInt8](unsafeUninitializedCapacity: span.count) { buffer, filled in
          for index in span.indices { unsafe buffer[index] = span[index] }
          filled = span.count
        }
      }
    }
  }
}
