import Platform

/// A run of consecutive doubles in an arena, for sums that single precision is too short for. Copies refer to
/// the same memory.
///
/// Sendable because it is plain memory: who writes which part is the thread team's contract.
@safe
package struct Doubles: @unchecked Sendable {
  /// Number of doubles.
  package let count: Int
  private let floats: Floats

  fileprivate init(_ floats: Floats, count: Int) {
    self.floats = floats
    self.count = count
  }

  /// The first element, for kernels only.
  @unsafe package var pointer: UnsafeMutablePointer<Double> {
    UnsafeMutableRawPointer(floats.pointer).assumingMemoryBound(to: Double.self)
  }
}

extension Arena {
  /// Hands out `count` doubles, 64-byte aligned, as `allocate` does floats.
  package func allocateDoubles(_ count: Int) throws(SystemError) -> Doubles {
    Doubles(try allocate(2 * count), count: count)
  }
}
