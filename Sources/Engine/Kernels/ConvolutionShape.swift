/// The sizes of a convolution with a square kernel, in the letters of the field.
///
/// Input `[N, C, H, W]`, weight `[K, C, R, R]` with `R = kernel`, output `[N, K, outputHeight, outputWidth]`.
package struct ConvolutionShape: Sendable, Equatable {
  /// Most images at once, N; an operation may run on fewer.
  package var images: Int
  /// Input channels, C.
  package var inputChannels: Int
  /// Input rows, H.
  package var height: Int
  /// Input columns, W.
  package var width: Int
  /// Output channels, K.
  package var outputChannels: Int
  /// Rows and columns of the kernel.
  package var kernel: Int
  /// Step between two outputs, in rows and in columns.
  package var stride: Int
  /// Zeros assumed around the input.
  package var padding: Int

  /// All sizes are at least 1, `padding` ≥ 0, and the kernel fits the padded input.
  package init(
    images: Int, inputChannels: Int, height: Int, width: Int, outputChannels: Int, kernel: Int,
    stride: Int = 1, padding: Int = 0
  ) {
    precondition(
      images >= 1 && inputChannels >= 1 && height >= 1 && width >= 1 && outputChannels >= 1 && kernel >= 1
        && stride >= 1 && padding >= 0, "sizes of a convolution are positive")
    precondition(
      height + 2 * padding >= kernel && width + 2 * padding >= kernel, "the kernel fits the padded input")
    self.images = images
    self.inputChannels = inputChannels
    self.height = height
    self.width = width
    self.outputChannels = outputChannels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  /// A linear layer: rows are images of one pixel.
  package static func linear(rows: Int, inputs: Int, outputs: Int) -> ConvolutionShape {
    ConvolutionShape(
      images: rows, inputChannels: inputs, height: 1, width: 1, outputChannels: outputs, kernel: 1)
  }

  /// Rows of the output.
  package var outputHeight: Int { (height + 2 * padding - kernel) / stride + 1 }
  /// Columns of the output.
  package var outputWidth: Int { (width + 2 * padding - kernel) / stride + 1 }
  /// Floats of the weight.
  package var weightCount: Int { outputChannels * inputChannels * kernel * kernel }
  /// Multiply-adds of one image in one direction.
  package var multiplyAddsPerImage: Int { weightCount * outputHeight * outputWidth }

  /// For people: `3×3/2 64→128 30×30` (kernel, stride, channels, input pixels).
  package var name: String {
    if height == 1, width == 1 { return "linear \(inputChannels)→\(outputChannels)" }
    let step = stride == 1 ? "" : "/\(stride)"
    return "\(kernel)×\(kernel)\(step) \(inputChannels)→\(outputChannels) \(height)×\(width)"
  }
}
