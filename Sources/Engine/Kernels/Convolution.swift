import KernelsABI
import Tensors

/// A convolution of one shape, planned once: forward, gradient of the input and gradient of the weight.
///
/// Weights have PyTorch's layout `[K][C][R][R]`. Nothing is cached between calls but scratch memory.
package struct Convolution {
  /// The sizes that this convolution was planned for.
  package let shape: ConvolutionShape
  /// How each direction is computed.
  package let algorithms: ConvolutionAlgorithms
  private let compute: Compute
  private let forwardPlan: Plan
  private let backwardPlan: Plan
  private let weightPlan: WeightPlan

  private enum Plan {
    case direct(DirectProducts)
    case winograd(WinogradProduct)
  }

  private enum WeightPlan {
    case direct(DirectWeightGradient)
    case winograd(WinogradWeightGradient)
  }

  /// Plans the operations for at most `shape.images` images; the algorithms must be applicable to the shape.
  /// Without any, `compute` chooses.
  package init(_ shape: ConvolutionShape, algorithms: ConvolutionAlgorithms? = nil, compute: Compute) {
    let algorithms = algorithms ?? compute.convolutions.algorithms(for: shape)
    precondition(
      algorithms.forward.isApplicable(to: shape) && algorithms.backwardInput.isApplicable(to: shape)
        && algorithms.backwardWeight.isApplicable(to: shape),
      "Winograd's algorithm is for 3×3 kernels, stride 1")
    self.shape = shape
    self.algorithms = algorithms
    self.compute = compute
    if let outputs = algorithms.forward.outputs {
      forwardPlan = .winograd(WinogradProduct(shape, outputs: outputs, isGradient: false))
    } else {
      forwardPlan = .direct(.forward(shape))
    }
    if let outputs = algorithms.backwardInput.outputs {
      backwardPlan = .winograd(WinogradProduct(shape, outputs: outputs, isGradient: true))
    } else {
      backwardPlan = .direct(.backwardInput(shape))
    }
    if let outputs = algorithms.backwardWeight.outputs {
      weightPlan = .winograd(WinogradWeightGradient(shape: shape, outputs: outputs))
    } else {
      weightPlan = .direct(DirectWeightGradient(shape: shape, isStem: false))
    }
    require(forwardPlan)
    require(backwardPlan)
    switch weightPlan {
    case .direct(let gradient): compute.require(gradient.scratchFloats(threads: compute.team.threads))
    case .winograd(let gradient): compute.require(gradient.scratchFloats(compute))
    }
  }

  /// `output = weight ∗ input + bias`; `bias` has K elements.
  package func forward(input: Activation, weight: Floats, bias: Floats?, output: Activation) {
    checkInput(input, weight)
    checkOutput(output, images: input.images)
    precondition(bias.map { $0.count == shape.outputChannels } ?? true, "one bias an output channel")
    run(forwardPlan, input, weight, bias: bias, output)
  }

  /// The gradient with respect to the input, from that of the output.
  package func backwardInput(dOutput: Activation, weight: Floats, dInput: Activation) {
    checkInput(dInput, weight)
    checkOutput(dOutput, images: dInput.images)
    run(backwardPlan, dOutput, weight, bias: nil, dInput)
  }

  /// The gradients with respect to weight and bias, from input and gradient of the output.
  package func backwardWeight(input: Activation, dOutput: Activation, dWeight: Floats, dBias: Floats?) {
    checkInput(input, dWeight)
    checkOutput(dOutput, images: input.images)
    let (x, dy, dw) = (In(input.storage.pointer), In(dOutput.storage.pointer), dWeight.pointer)
    switch weightPlan {
    case .direct(let gradient): gradient.run(compute, images: input.images, input: x, dOutput: dy, into: dw)
    case .winograd(let gradient): gradient.run(compute, images: input.images, input: x, dOutput: dy, into: dw)
    }
    if let dBias { compute.channelSums(of: dOutput, into: dBias) }
  }

  private func require(_ plan: Plan) {
    switch plan {
    case .direct(let products): compute.require(products.scratchFloats(threads: compute.team.threads))
    case .winograd(let product): compute.require(product.scratchFloats(compute, images: shape.images))
    }
  }

  private func run(_ plan: Plan, _ source: Activation, _ weight: Floats, bias: Floats?, _ target: Activation)
  {
    let shift = bias.map { In($0.pointer) }
    let images = source.images
    switch plan {
    case .direct(let products):
      products.run(
        compute, images: images, from: source.storage.pointer, weight: weight.pointer, bias: shift,
        into: target.storage.pointer)
    case .winograd(let product):
      product.run(
        compute, images: images, imagesMax: shape.images, from: source.storage.pointer,
        weight: weight.pointer,
        bias: shift, into: target.storage.pointer)
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
