import Tensors

/// A digest of the bits of values in their order, to tell whether two computations gave the same ones.
///
/// FNV-1a (64 bits) over 32-bit words. Every NaN counts as the same word: IEEE 754 leaves its sign and
/// payload open, and two builds of one program may differ in them. Not for use against those who want a
/// collision.
package struct BitDigest: Sendable, Equatable {
  /// The digest of what was taken so far.
  package private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  private static let prime: UInt64 = 0x100_0000_01B3

  /// The digest of no values.
  package init() {}

  fileprivate mutating func take(_ value: Float) {
    let bits = value.isNaN ? Float.nan.bitPattern : value.bitPattern
    self.value = (self.value ^ UInt64(bits)) &* Self.prime
  }
}

extension Compute {
  /// Adds every value to `digest`, on the calling thread: for the diagnosis of a step, not for its course.
  ///
  /// Reads all of `floats` in their order.
  ///
  /// Reference: `every method's step is repeated to the bits`
  package func add(_ floats: Floats, to digest: inout BitDigest) {
    for index in 0..<floats.count { digest.take(floats.pointer[index]) }
  }
}
