/// A run of consecutive floats in an arena. Copies refer to the same memory and keep the arena alive.
///
/// The fence around the pointer: `TensorElements` has the accesses, each checked against `count`.
/// `@usableFromInline` lets other modules inline the checked accesses, which `@inlinable` alone does not for
/// a `package` type. Sendable because it is plain memory: who writes which part is the thread team's
/// contract.
@safe @usableFromInline
package struct Floats: @unchecked Sendable {
  /// The first element, at least 64-byte aligned if it came from `Arena.allocate`. For kernels only.
  @unsafe @usableFromInline package let pointer: UnsafeMutablePointer<Float>
  /// Number of floats.
  @usableFromInline package let count: Int
  private let owner: Arena

  init(pointer: UnsafeMutablePointer<Float>, count: Int, owner: Arena) {
    self.pointer = pointer
    self.count = count
    self.owner = owner
  }

  /// The part of `length` floats from `offset`; shares the memory.
  package func slice(_ offset: Int, _ length: Int) -> Floats {
    precondition(offset >= 0 && length >= 0 && offset <= count - length, "slice out of range")
    return Floats(pointer: pointer + offset, count: length, owner: owner)
  }

  /// Whether the memory is only counted, so that nothing may be written to it.
  package var isCounted: Bool { owner.isCounting }
}
