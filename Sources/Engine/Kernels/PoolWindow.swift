/// The windows of a pooling: squares of `kernel` × `kernel` pixels, `stride` pixels apart, the first ones
/// `padding` pixels beyond the map's border.
package struct PoolWindow: Sendable, Equatable {
  /// Rows and columns of a window.
  package let kernel: Int
  /// Pixels from one window to the next.
  package let stride: Int
  /// Pixels that windows reach beyond the map; at most half of `kernel`, so that each has a pixel inside.
  package let padding: Int

  /// All sizes are positive, `padding` may be 0.
  package init(kernel: Int, stride: Int, padding: Int) {
    precondition(
      kernel >= 1 && stride >= 1 && (0...kernel / 2).contains(padding), "every window has a pixel inside")
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  /// Windows along an axis of `inputs` pixels, as PyTorch counts them (rounded down).
  package func outputs(of inputs: Int) -> Int { (inputs + 2 * padding - kernel) / stride + 1 }
}
