import Tensors

/// A convolution of one shape, planned once: forward, gradient of the input and gradient of the weight.
///
/// Weights have PyTorch's layout `[K][C][R][R]`. Nothing is cached between calls but scratch memory.
package struct Convolution {
  /// The sizes that this convolution was planned for.
  package let shape: ConvolutionShape
  let compute: Compute

  /// Plans the operations for at most `shape.images` images.
  package init(_ shape: ConvolutionShape, compute: Compute) {
    self.shape = shape
    self.compute = compute
  }

  /// `output = weight ∗ input + bias`; `bias` has K elements.
  package func forward(input: Activation, weight: Floats, bias: Floats?, output: Activation) {
    checkInput(input, weight)
    checkOutput(output, images: input.images)
    output.storage.fill(0)
    for n in 0..<input.images {
      for k in 0..<shape.outputChannels {
        for y in 0..<shape.outputHeight {
          for x in 0..<shape.outputWidth {
            var sum = bias.map { $0[k] } ?? 0
            eachTap(y: y, x: x) { c, row, column, tap in
              sum +=
                input[n, c, row, column] * weight[k * shape.inputChannels * shape.kernel * shape.kernel + tap]
            }
            output[n, k, y, x] = sum
          }
        }
      }
    }
  }

  /// The gradient with respect to the input, from that of the output.
  package func backwardInput(dOutput: Activation, weight: Floats, dInput: Activation) {
    checkInput(dInput, weight)
    checkOutput(dOutput, images: dInput.images)
    dInput.storage.fill(0)
    for n in 0..<dInput.images {
      for k in 0..<shape.outputChannels {
        for y in 0..<shape.outputHeight {
          for x in 0..<shape.outputWidth {
            let d = dOutput[n, k, y, x]
            eachTap(y: y, x: x) { c, row, column, tap in
              dInput[n, c, row, column] +=
                d * weight[k * shape.inputChannels * shape.kernel * shape.kernel + tap]
            }
          }
        }
      }
    }
  }

  /// The gradients with respect to weight and bias, from input and gradient of the output.
  package func backwardWeight(input: Activation, dOutput: Activation, dWeight: Floats, dBias: Floats?) {
    checkInput(input, dWeight)
    checkOutput(dOutput, images: input.images)
    dWeight.fill(0)
    dBias?.fill(0)
    for n in 0..<input.images {
      for k in 0..<shape.outputChannels {
        for y in 0..<shape.outputHeight {
          for x in 0..<shape.outputWidth {
            let d = dOutput[n, k, y, x]
            if let dBias { dBias[k] += d }
            eachTap(y: y, x: x) { c, row, column, tap in
              dWeight[k * shape.inputChannels * shape.kernel * shape.kernel + tap] +=
                d * input[n, c, row, column]
            }
          }
        }
      }
    }
  }

  private func eachTap(y: Int, x: Int, _ body: (_ c: Int, _ row: Int, _ column: Int, _ tap: Int) -> Void) {
    for c in 0..<shape.inputChannels {
      for r in 0..<shape.kernel {
        for s in 0..<shape.kernel {
          let row = y * shape.stride + r - shape.padding
          let column = x * shape.stride + s - shape.padding
          if row >= 0, row < shape.height, column >= 0, column < shape.width {
            body(c, row, column, (c * shape.kernel + r) * shape.kernel + s)
          }
        }
      }
    }
  }

  private func checkInput(_ input: Activation, _ weight: Floats) {
    precondition(
      input.channels == shape.inputChannels && input.height == shape.height && input.width == shape.width
        && input.images <= shape.images, "the input does not fit the planned convolution")
    precondition(weight.count == shape.weightCount, "the weight does not fit the planned convolution")
  }

  private func checkOutput(_ output: Activation, images: Int) {
    precondition(
      output.channels == shape.outputChannels && output.height == shape.outputHeight
        && output.width == shape.outputWidth && output.images == images,
      "the output does not fit the planned convolution")
  }
}
