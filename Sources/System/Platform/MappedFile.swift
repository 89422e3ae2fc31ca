import Glibc
import Synchronization

/// A file that is read as memory without being in memory: the kernel brings its pages when they are looked at
/// and takes them back when it needs room.
///
/// The pages that were looked at lately count as this process's resident memory; from time to time they are
/// let go of, so that a process does not seem to hold the whole file. Whoever shortens the file while it is
/// mapped ends the process (SIGBUS), so only files that this program wrote once are read this way.
/// May be used from several threads.
package final class MappedFile: Sendable {
  /// Bytes of the file.
  package let bytesCount: Int
  private let address: UInt
  private let looked = Atomic<Int>(0)

  /// Bytes that one look may bring beside those that were asked for: the kernel maps what lies around.
  private static let bytesAround = 64 << 10
  /// After so many bytes the pages are let go of: what is mapped at a time, about.
  package static let keptBytesMax = 64 << 20

  /// Maps a file; it may be closed or removed afterwards.
  package init(_ file: File) throws(SystemError) {
    bytesCount = try file.size()
    guard bytesCount > 0 else {
      address = 0
      return
    }
    guard let start = mmap(nil, bytesCount, PROT_READ, MAP_SHARED, file.descriptor, 0), start != MAP_FAILED
    else {
      throw SystemError.last("map", file.path)
    }
    // Advice only: images are read in random order.
    _ = madvise(start, bytesCount, MADV_RANDOM)
    address = UInt(bitPattern: start)
  }

  deinit {
    if bytesCount > 0 { munmap(UnsafeMutableRawPointer(bitPattern: address), bytesCount) }
  }

  /// Hands out the bytes of a range, which must lie in the file.
  package func withBytes<Result>(_ range: Range<Int>, _ body: (Span<UInt8>) -> Result) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytesCount, "the range lies outside the file")
    let start = UnsafePointer<UInt8>(bitPattern: address)?.advanced(by: range.lowerBound)
    let result = body(Span(_unsafeElements: UnsafeBufferPointer(start: start, count: range.count)))
    letGo(after: range.count + Self.bytesAround)
    return result
  }

  private func letGo(after count: Int) {
    let (old, new) = looked.add(count, ordering: .relaxed)
    guard old / Self.keptBytesMax != new / Self.keptBytesMax, bytesCount > 0 else { return }
    // Whoever looks at a page just now gets it again.
    _ = madvise(UnsafeMutableRawPointer(bitPattern: address), bytesCount, MADV_DONTNEED)
  }
}
