import Platform
import TensorElements
import Tensors

extension PlanarImage {
  /// torchvision's `gaussian_blur` with a square kernel of `size` (odd) pixels and reflected borders, as two
  /// passes.
  ///
  /// `size / 2` must be smaller than the side.
  func blur(size: Int, sigma: Float, scratch: AugmentationScratch) {
    let half = size / 2
    precondition(size % 2 == 1 && half < side, "a blur kernel is odd and its border within the image")
    let kernel = scratch.kernel
    fillKernel(kernel, size: size, sigma: sigma)
    for plane in 0..<planes {
      let start = plane * planeCount
      for row in 0..<side {
        blurRow(
          from: start + row * stride, half: half, kernel, line: scratch.line, into: scratch.rows,
          at: row * stride)
      }
      for row in 0..<side {
        blurColumns(row: row, half: half, kernel, from: scratch.rows, into: start + row * stride)
      }
    }
  }

  /// `size` weights of a sampled Gaussian that sum to 1.
  private func fillKernel(_ kernel: Floats, size: Int, sigma: Float) {
    var total: Float = 0
    for tap in 0..<size {
      let distance = (Float(tap) - Float(size - 1) * 0.5) / sigma
      let weight = Float(Mathematics.exponential(Double(-0.5 * distance * distance)))
      kernel[tap] = weight
      total += weight
    }
    for tap in 0..<size { kernel[tap] /= total }
  }

  private func blurRow(
    from source: Int, half: Int, _ kernel: Floats, line: Floats, into rows: Floats, at target: Int
  ) {
    for column in Swift.stride(from: 0, to: stride, by: Pixels.scalarCount) {
      line.setVector8(storage.vector8(at: source + column), at: half + column)
    }
    for offset in 0..<half {
      line[half - 1 - offset] = storage[source + offset + 1]
      line[half + side + offset] = storage[source + side - 2 - offset]
    }
    for column in Swift.stride(from: 0, to: stride, by: Pixels.scalarCount) {
      var sum = line.vector8(at: column) * kernel[0]
      for tap in 1..<max(2 * half + 1, 1) { sum += line.vector8(at: column + tap) * kernel[tap] }
      rows.setVector8(sum, at: target + column)
    }
  }

  private func blurColumns(row: Int, half: Int, _ kernel: Floats, from rows: Floats, into target: Int) {
    for column in Swift.stride(from: 0, to: stride, by: Pixels.scalarCount) {
      var sum = Pixels()
      for tap in 0...(2 * half) {
        sum += rows.vector8(at: reflected(row + tap - half) * stride + column) * kernel[tap]
      }
      storage.setVector8(sum, at: target + column)
    }
  }

  /// The row inside the image that stands for `row`; the border row itself is not repeated.
  @inline(__always)
  private func reflected(_ row: Int) -> Int {
    if row < 0 { return -row }
    return row < side ? row : 2 * (side - 1) - row
  }
}
