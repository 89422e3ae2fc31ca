import KernelsABI
import Tensors

/// The first convolution of a network: its input are planar images `[N][C][H][W]`, and it needs no input
/// gradient.
package struct StemConvolution {
  /// The sizes that this convolution was planned for.
  package let shape: ConvolutionShape
  private let compute: Compute
  private let products: DirectProducts
  private let weightGradient: DirectWeightGradient

  /// Plans the operations for at most `shape.images` images.
  package init(_ shape: ConvolutionShape, compute: Compute) {
    self.shape = shape
    self.compute = compute
    products = .stem(shape)
    weightGradient = DirectWeightGradient(shape: shape, isStem: true)
    compute.require(products.scratchFloats(threads: compute.team.threads))
    compute.require(weightGradient.scratchFloats(threads: compute.team.threads))
  }

  /// `output = weight ∗ images + bias`; as many images as `output` has are read from the start of `images`.
  package func forward(images: Floats, weight: Floats, bias: Floats?, output: Activation) {
    check(images, weight, output)
    precondition(bias.map { $0.count == shape.outputChannels } ?? true, "one bias an output channel")
    products.run(
      compute, images: output.images, from: images.pointer, weight: weight.pointer,
      bias: bias.map { In($0.pointer) }, into: output.storage.pointer)
  }

  /// The gradients with respect to weight and bias.
  package func backwardWeight(images: Floats, dOutput: Activation, dWeight: Floats, dBias: Floats?) {
    check(images, dWeight, dOutput)
    weightGradient.run(
      compute, images: dOutput.images, input: images.pointer, dOutput: dOutput.storage.pointer,
      into: dWeight.pointer)
    if let dBias { compute.channelSums(of: dOutput, into: dBias) }
  }

  private func check(_ images: Floats, _ weight: Floats, _ output: Activation) {
    precondition(
      output.channels == shape.outputChannels && output.height == shape.outputHeight
        && output.width == shape.outputWidth && output.images <= shape.images,
      "the output does not fit the planned convolution")
    precondition(
      images.count >= output.images * shape.inputChannels * shape.height * shape.width,
      "there are not enough images")
    precondition(weight.count == shape.weightCount, "the weight does not fit the planned convolution")
  }
}
