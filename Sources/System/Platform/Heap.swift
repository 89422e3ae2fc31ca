import CLinux

/// How the C library's allocator, which Swift's arrays and objects come from, gives memory back to the
/// system.
package enum Heap {
  /// Blocks of so many bytes have a mapping of their own, which goes back when they are freed.
  private static let mappedBytesMin: Int32 = 256 << 10
  /// Free bytes at the top of the heap that are kept.
  private static let keptBytesMax: Int32 = 1 << 20
  /// Arenas, each of which keeps free memory of its own; more of them would only help many threads that
  /// allocate without a pause.
  private static let arenasMax: Int32 = 4

  /// Makes large blocks go back at once, for a process that runs long. Left to itself, the allocator raises
  /// its threshold to the largest block that was ever freed, up to 32 MiB, and keeps such blocks
  /// (`mallopt(3)`). To be called before threads are started.
  package static func returnLargeBlocks() {
    clinux_heap_options(mappedBytesMin, keptBytesMax, arenasMax)
  }

  /// Gives the system every whole page that is free, also in the middle of a heap. Takes some milliseconds
  /// when there is much of it.
  package static func returnFreePages() { clinux_heap_trim() }
}
