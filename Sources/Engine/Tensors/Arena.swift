import Platform

/// Memory for all tensors of a network: one mapping on huge pages, handed out in order, before the first
/// step.
///
/// Allocation is single-threaded. What is handed out stays valid as long as any `Floats` of the arena lives.
package final class Arena: @unchecked Sendable {  // mutated only while a network is planned, by one thread
  /// A place in the arena, to go back to.
  package struct Mark: Sendable {
    fileprivate let bytes: Int
  }

  /// Address space set aside by default, 256 GiB; memory is taken only for what is allocated.
  package static let reservedBytesDefault = 256 << 30
  private static let alignmentBytes = 64
  private let memory: MemoryReservation
  private var usedBytes = 0

  /// An arena that can grow to `reservedBytes`.
  package init(reservedBytes: Int = Arena.reservedBytesDefault) throws(SystemError) {
    memory = try MemoryReservation(bytes: reservedBytes)
  }

  /// Bytes handed out so far.
  package var allocatedBytes: Int { usedBytes }

  /// Hands out `count` floats, 64-byte aligned; zero unless the memory was used before a `reset(to:)`.
  package func allocate(_ count: Int) throws(SystemError) -> Floats {
    precondition(count >= 0, "a count is not negative")
    let bytes = count * MemoryLayout<Float>.stride
    try memory.commit(bytes: usedBytes + bytes)
    let start = memory.base + usedBytes
    usedBytes = (usedBytes + bytes + Arena.alignmentBytes - 1) / Arena.alignmentBytes * Arena.alignmentBytes
    return Floats(pointer: start.assumingMemoryBound(to: Float.self), count: count, owner: self)
  }

  /// The present end of what is handed out.
  package var mark: Mark { Mark(bytes: usedBytes) }

  /// Takes back everything allocated after `mark`; `Floats` from there must not be used any more.
  package func reset(to mark: Mark) {
    precondition(mark.bytes <= usedBytes, "a mark lies before the end")
    usedBytes = mark.bytes
  }
}
