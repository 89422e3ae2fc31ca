import KernelsABI
import Tensors

/// A convolution of one shape, planned once: forward, gradient of the input and gradient of the weight.
///
/// Weights have PyTorch's layout `[K][C][R][R]`. Nothing is cached between calls but scratch memory.
package struct Convolution {
  /// The sizes that this convolution was planned for.
  package let shape: ConvolutionShape
  private let compute: Compute
  private let forwardProducts: DirectProducts
  private let backwardProducts: DirectProducts
  private let weightGradient: DirectWeightGradient

  /// Plans the operations for at most `shape.images` images.
  package init(_ shape: ConvolutionShape, compute: Compute) {
    self.shape = shape
    self.compute = compute
    forwardProducts = .forward(shape)
    backwardProducts = .backwardInput(shape)
    weightGradient = DirectWeightGradient(shape: shape, isStem: false)
    let threads = compute.team.threads
    compute.require(forwardProducts.scratchFloats(threads: threads))
    compute.require(backwardProducts.scratchFloats(threads: threads))
    compute.require(weightGradient.scratchFloats(threads: threads))
  }

  /// `output = weight ∗ input + bias`; `bias` has K elements.
  package func forward(input: Activation, weight: Floats, bias: Floats?, output: Activation) {
    checkInput(input, weight)
    checkOutput(output, images: input.images)
    precondition(bias.map { $0.count == shape.outputChannels } ?? true, "one bias an output channel")
    forwardProducts.run(
      compute, images: input.images, from: input.storage.pointer, weight: weight.pointer,
      bias: bias.map { In($0.pointer) }, into: output.storage.pointer)
  }

  /// The gradient with respect to the input, from that of the output.
  package func backwardInput(dOutput: Activation, weight: Floats, dInput: Activation) {
    checkInput(dInput, weight)
    checkOutput(dOutput, images: dInput.images)
    backwardProducts.run(
      compute, images: dInput.images, from: dOutput.storage.pointer, weight: weight.pointer, bias: nil,
      into: dInput.storage.pointer)
  }

  /// The gradients with respect to weight and bias, from input and gradient of the output.
  package func backwardWeight(input: Activation, dOutput: Activation, dWeight: Floats, dBias: Floats?) {
    checkInput(input, dWeight)
    checkOutput(dOutput, images: input.images)
    weightGradient.run(
      compute, images: input.images, input: input.storage.pointer, dOutput: dOutput.storage.pointer,
      into: dWeight.pointer)
    if let dBias { compute.channelSums(of: dOutput, into: dBias) }
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
