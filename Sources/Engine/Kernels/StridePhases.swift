import KernelsABI

/// The four phases of a map under a 3×3 convolution with stride 2 and padding 1: pixels whose row and column
/// have the same remainders by 2.
///
/// With y[i] = Σ w[r] x[2i + r − 1], even pixels x[2j] meet the tap 1 alone, odd ones x[2j + 1] the taps 0
/// (in y[j + 1]) and 2 (in y[j]).
enum StridePhases {
  /// How many there are; phase f has the remainders f / 2 of rows and f mod 2 of columns.
  static let count = 4

  /// The remainder of a phase's rows or columns.
  static func remainder(_ phase: Int, isRow: Bool) -> Int { isRow ? phase / 2 : phase % 2 }

  /// The taps by which a phase's pixels enter the outputs, or with `isGradient` the gradients of outputs
  /// enter the phase's pixels.
  static func taps(_ phase: Int, isGradient: Bool) -> PhaseTaps {
    func pair(_ remainder: Int) -> SIMD2<Int> {
      if remainder == 0 { return SIMD2(1, -1) }
      return isGradient ? SIMD2(2, 0) : SIMD2(0, 2)
    }
    return PhaseTaps(
      rows: pair(remainder(phase, isRow: true)), columns: pair(remainder(phase, isRow: false)))
  }

  /// The grid of one phase of a convolution's input: windows of the forward pass begin at odd pixel −1 or
  /// even pixel 0, outputs of the gradient at the phase's first pixel.
  static func inputGrid(_ s: ConvolutionShape, phase: Int, isTarget: Bool) -> TileGrid {
    let (row, column) = (remainder(phase, isRow: true), remainder(phase, isRow: false))
    return TileGrid(
      tileRows: (s.outputHeight + 3) / 4, tileColumns: (s.outputWidth + 3) / 4, outputs: 4, taps: 2,
      mapRows: s.height, mapColumns: s.width, imageStride: s.inputImageStride, step: 2,
      rowOffset: isTarget ? row : -row, columnOffset: isTarget ? column : -column)
  }

  /// The grid of the convolution's output, the same for all phases.
  static func outputGrid(_ s: ConvolutionShape) -> TileGrid {
    TileGrid(
      tileRows: (s.outputHeight + 3) / 4, tileColumns: (s.outputWidth + 3) / 4, outputs: 4, taps: 2,
      mapRows: s.outputHeight, mapColumns: s.outputWidth, imageStride: s.outputImageStride, rowOffset: 0,
      columnOffset: 0)
  }
}
