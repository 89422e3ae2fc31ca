import Tensors

extension Floats {
  /// The eight elements from `index` on, at any alignment; all of them must lie inside.
  @inlinable @inline(__always)
  package func vector8(at index: Int) -> SIMD8<Float> {
    precondition(index >= 0 && index <= count - 8, "vector out of range")
    return UnsafeRawPointer(pointer + index).loadUnaligned(as: SIMD8<Float>.self)
  }

  /// Replaces the eight elements from `index` on, at any alignment; all of them must lie inside.
  @inlinable @inline(__always)
  package func setVector8(_ vector: SIMD8<Float>, at index: Int) {
    precondition(index >= 0 && index <= count - 8, "vector out of range")
    UnsafeMutableRawPointer(pointer + index).storeBytes(of: vector, as: SIMD8<Float>.self)
  }
}
