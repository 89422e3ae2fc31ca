import Tensors

/// The first convolution of a network: its input are planar images `[N][C][H][W]`, and it needs no input gradient.
package struct StemConvolution {
  /// The sizes that this convolution was planned for.
  package let shape: ConvolutionShape
  let compute: Compute
  private let convolution: Convolution
  private let blocked: Activation

  /// Plans the operations for at most `shape.images` images.
  package init(_ shape: ConvolutionShape, compute: Compute, arena: Arena) throws {
    self.shape = shape
    self.compute = compute
    convolution = Convolution(shape, compute: compute)
    blocked = try Activation(
      images: shape.images, channels: shape.inputChannels, height: shape.height, width: shape.width,
      arena: arena)
  }

  /// `output = weight ∗ images + bias`; as many images as `output` has are read from the start of `images`.
  package func forward(images: Floats, weight: Floats, bias: Floats?, output: Activation) {
    convolution.forward(input: block(images, output.images), weight: weight, bias: bias, output: output)
  }

  /// The gradients with respect to weight and bias.
  package func backwardWeight(images: Floats, dOutput: Activation, dWeight: Floats, dBias: Floats?) {
    convolution.backwardWeight(
      input: block(images, dOutput.images), dOutput: dOutput, dWeight: dWeight, dBias: dBias)
  }

  private func block(_ images: Floats, _ count: Int) -> Activation {
    let activation = blocked.images(0..<count)
    compute.blocked(planar: images, into: activation)
    return activation
  }
}
