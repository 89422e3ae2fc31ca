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
  /// Where an arena that only counts begins: no processor has such addresses, so that a touch ends the
  /// process at once.
  private static let countingBase = 1 << 62
  /// `nil`: it only counts.
  private let memory: MemoryReservation?
  private var usedBytes = 0

  /// An arena that can grow to `reservedBytes`.
  package init(reservedBytes: Int = Arena.reservedBytesDefault) throws(SystemError) {
    memory = try MemoryReservation(bytes: reservedBytes)
  }

  private init(memory: MemoryReservation?) { self.memory = memory }

  /// An arena that only counts what is asked of it, for plans that nobody will run: it takes no memory and no
  /// address space. What it hands out may be passed around, cut and filled, which does nothing, but no
  /// element may be read or written.
  package static func counting() -> Arena { Arena(memory: nil) }

  /// Whether there is no memory behind what it hands out.
  package var isCounting: Bool { memory == nil }

  /// Bytes handed out so far.
  package var allocatedBytes: Int { usedBytes }

  /// Hands out `count` floats, 64-byte aligned; zero unless the memory was used before a `reset(to:)`.
  package func allocate(_ count: Int) throws(SystemError) -> Floats {
    precondition(count >= 0, "a count is not negative")
    let bytes = count * MemoryLayout<Float>.stride
    let start = try start(committing: bytes)
    usedBytes = (usedBytes + bytes + Arena.alignmentBytes - 1) / Arena.alignmentBytes * Arena.alignmentBytes
    return Floats(pointer: start.assumingMemoryBound(to: Float.self), count: count, owner: self)
  }

  /// Where the next `bytes` bytes begin, which may be touched from now on.
  private func start(committing bytes: Int) throws(SystemError) -> UnsafeMutableRawPointer {
    guard let memory else {
      guard let start = UnsafeMutableRawPointer(bitPattern: Arena.countingBase + usedBytes) else {
        preconditionFailure("the address is not 0")
      }
      return start
    }
    try memory.commit(bytes: usedBytes + bytes)
    return memory.base + usedBytes
  }

  /// The present end of what is handed out.
  package var mark: Mark { Mark(bytes: usedBytes) }

  /// Takes back everything allocated after `mark`; `Floats` from there must not be used any more.
  package func reset(to mark: Mark) {
    precondition(mark.bytes <= usedBytes, "a mark lies before the end")
    usedBytes = mark.bytes
  }
}
