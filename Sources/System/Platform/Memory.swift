import Glibc

/// A range of address space, 2 MiB aligned, whose first part is backed by memory; returned when the object
/// goes.
///
/// Reserving costs no memory; `commit` makes a prefix usable. Pages are zero at first touch and huge where
/// the kernel can give huge ones.
package final class MemoryReservation {
  /// Alignment of the start and granule of `commit`: one huge page of x86-64.
  package static let granuleBytes = 2 << 20

  /// The first byte, aligned to `granuleBytes`.
  package let base: UnsafeMutableRawPointer
  /// Bytes of address space from `base`.
  package let reservedBytes: Int
  /// Bytes from `base` that may be touched.
  package private(set) var committedBytes = 0
  private let mapping: UnsafeMutableRawPointer
  private let mappingBytes: Int

  /// Reserves at least `bytes` of address space.
  package init(bytes: Int) throws(SystemError) {
    let granule = MemoryReservation.granuleBytes
    let rounded = (max(bytes, 1) + granule - 1) / granule * granule
    let total = rounded + granule
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let start = mmap(nil, total, PROT_NONE, flags, -1, 0), start != MAP_FAILED else {
      throw SystemError(operation: "mmap", subject: "\(total) bytes of address space", errno: errno)
    }
    let skip = (granule - Int(bitPattern: start) % granule) % granule
    mapping = start
    mappingBytes = total
    base = start + skip
    reservedBytes = rounded
    // Advice only: without huge pages everything works, with more TLB misses.
    _ = madvise(base, rounded, MADV_HUGEPAGE)
  }

  deinit { munmap(mapping, mappingBytes) }

  /// Makes the first `bytes` bytes readable and writable; what was committed before stays as it is.
  package func commit(bytes: Int) throws(SystemError) {
    guard bytes > committedBytes else { return }
    let granule = MemoryReservation.granuleBytes
    let rounded = (bytes + granule - 1) / granule * granule
    guard rounded <= reservedBytes else {
      throw SystemError(
        operation: "commit", subject: "\(bytes) of \(reservedBytes) reserved bytes", errno: ENOMEM)
    }
    guard mprotect(base + committedBytes, rounded - committedBytes, PROT_READ | PROT_WRITE) == 0 else {
      throw SystemError(operation: "mprotect", subject: "\(rounded) bytes of memory", errno: errno)
    }
    committedBytes = rounded
  }
}

/// The memory of this process.
package enum ProcessMemory {
  /// Bytes that are resident now; `nil`: the kernel does not say.
  package static var residentBytes: Int? {
    // `/proc/self/statm`: SIZE RESIDENT SHARED … in pages.
    let fields = (ControlGroups.text("/proc/self/statm") ?? "").split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// Most bytes that were resident at once, as `getrusage(2)` knows.
  package static var peakResidentBytes: Int {
    var usage = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss << 10
  }
}
