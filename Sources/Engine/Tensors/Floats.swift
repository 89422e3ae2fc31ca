/// A run of consecutive floats in an arena. Copies refer to the same memory and keep the arena alive.
///
/// The fence around the pointer: every access is checked against `count`. `@usableFromInline` lets other
/// modules inline the checked accesses, which `@inlinable` alone does not for a `package` type.
/// Sendable because it is plain memory: who writes which part is the thread team's contract.
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

  /// The element at `index`, `0 ≤ index < count`.
  @inlinable
  package subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "index out of range")
      return pointer[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "index out of range")
      pointer[index] = newValue
    }
  }

  /// The part of `length` floats from `offset`; shares the memory.
  package func slice(_ offset: Int, _ length: Int) -> Floats {
    precondition(offset >= 0 && length >= 0 && offset <= count - length, "slice out of range")
    return Floats(pointer: pointer + offset, count: length, owner: owner)
  }

  /// Sets every element to `value`.
  package func fill(_ value: Float) {
    if owner.isCounting { return }
    pointer.update(repeating: value, count: count)
  }

  /// Copies all of `source`, of the same count, into this run.
  package func copy(from source: Floats) {
    precondition(source.count == count, "copy needs equal counts")
    pointer.update(from: source.pointer, count: count)
  }

  /// Copies all of `values`, of the same count, into this run.
  package func copy(from values: [Float]) {
    precondition(values.count == count, "copy needs equal counts")
    values.withUnsafeBufferPointer { buffer in
      if let start = buffer.baseAddress { pointer.update(from: start, count: count) }
    }
  }

  /// The elements as an array.
  package var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
