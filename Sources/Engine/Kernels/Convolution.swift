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
    case linear(LinearWeightGradient)
    case winograd(WinogradWeightGradient)
  }

  /// Plans the operations for at most `shape.images` images; the algorithms must be applicable to the shape.
  package init(_ shape: ConvolutionShape, algorithms: ConvolutionAlgorithms, compute: Compute) {
    precondition(
      algorithms.forward.isApplicable(to: shape) && algorithms.backwardInput.isApplicable(to: shape)
        && algorithms.backwardWeight.isApplicable(to: shape),
      "the algorithms must be applicable to the shape")
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
    } else if shape.isLinear {
      weightPlan = .linear(LinearWeightGradient(shape: shape))
    } else {
      weightPlan = .direct(DirectWeightGradient(shape: shape))
    }
    require(forwardPlan)
    require(backwardPlan)
    switch weightPlan {
    case .direct(let gradient): compute.require(gradient.scratchFloats(threads: compute.team.threads))
    case .linear(let gradient): compute.require(gradient.scratchFloats(threads: compute.team.threads))
    case .winograd(let gradient): compute.require(gradient.scratchFloats(compute))
    }
  }

  /// `output = weight ∗ input + bias`; `bias` has K elements.
  ///
  /// With `moments`, which normalises the output next, its statistics are taken on the way.
  package func forward(
    input: Activation, weight: Floats, bias: Floats?, output: Activation, moments: Normalization? = nil
  ) {
    forward(input, nil, weight, bias, output, moments)
  }

  /// The same of a map that is normalised and rectified on the way.
  package func forward(
    input: NormalizedMap, weight: Floats, bias: Floats?, output: Activation, moments: Normalization? = nil
  ) {
    if case .winograd = forwardPlan {
      forward(input.input, input.normalization, weight, bias, output, moments)
    } else {
      forward(materialized(input), nil, weight, bias, output, moments)
    }
  }

  /// The convolution with a normalisation by given statistics behind it.
  package func forward(
    input: Activation, weight: Floats, bias: Floats?, output: Activation, frozen: FrozenNormalization
  ) {
    checkInput(input, weight)
    checkOutput(output, images: input.images)
    measured("forward", algorithms.forward, images: input.images) {
      let ending = ResultEnding(frozen, bias: bias, output: output, compute: compute)
      run(forwardPlan, input, nil, weight, ending, output)
    }
  }

  /// The gradient with respect to the input, from that of the output.
  ///
  /// With `site`, the gradient is received there on the way, as `Compute.receive` does.
  package func backwardInput(
    dOutput: Activation, weight: Floats, dInput: Activation, site: GradientSite? = nil
  ) {
    checkInput(dInput, weight)
    checkOutput(dOutput, images: dInput.images)
    let groups = groups(backwardPlan, images: dInput.images, views: site?.normalization.views ?? 1)
    let fused = compute.hasRoom(for: site?.normalization, groups: groups) ? site : nil
    measured("dX", algorithms.backwardInput, images: dInput.images) {
      let ending = ResultEnding(site: fused, groups: groups, output: dInput, compute: compute)
      run(backwardPlan, dOutput, nil, weight, ending, dInput)
    }
    guard let site else { return }
    if fused != nil {
      let lines = dInput.images / site.normalization.views * dInput.pixels
      compute.finishGradient(site, groups: groups, lines: lines)
    } else {
      compute.receive(dInput, at: site)
    }
  }

  /// Whether `backwardInput` receives gradients on the way for any number of images in `views` parts.
  ///
  /// Then it reads what the site's mask needs of a pixel before it writes there: the gradient may take the
  /// place of what came out of the ReLU.
  package func receivesOnTheWay(views: Int) -> Bool {
    let groups = groups(backwardPlan, images: shape.images, views: views)
    return views * groups * ((shape.inputChannels + 15) / 16) <= Partials.entriesMax
  }

  /// The gradients with respect to weight and bias, from input and gradient of the output.
  ///
  /// With `pending`, which may be in the place of `dOutput`, that gradient is computed first, on the way.
  package func backwardWeight(
    input: Activation, dOutput: Activation, pending: PendingGradient? = nil, dWeight: Floats, dBias: Floats?
  ) {
    let pending = pendingOnTheWay(pending, dOutput)
    backwardWeight(input, nil, dOutput, pending, dWeight, dBias)
  }

  /// The same for a map that was normalised and rectified on the way. Its scratch may be where the pending
  /// gradient is.
  package func backwardWeight(
    input: NormalizedMap, dOutput: Activation, pending: PendingGradient? = nil, dWeight: Floats,
    dBias: Floats?
  ) {
    let pending = pendingOnTheWay(pending, dOutput)
    if case .winograd = weightPlan {
      backwardWeight(input.input, input.normalization, dOutput, pending, dWeight, dBias)
    } else {
      backwardWeight(materialized(input), nil, dOutput, pending, dWeight, dBias)
    }
  }

  private func forward(
    _ input: Activation, _ normalization: Normalization?, _ weight: Floats, _ bias: Floats?,
    _ output: Activation, _ moments: Normalization?
  ) {
    checkInput(input, weight)
    checkOutput(output, images: input.images)
    precondition(bias.map { $0.count == shape.outputChannels } ?? true, "one bias an output channel")
    let views = moments?.views ?? 1
    let groups = groups(forwardPlan, images: input.images, views: views)
    let isFused = compute.hasRoom(for: moments, groups: groups)
    measured("forward", algorithms.forward, images: input.images) {
      let ending = ResultEnding(
        bias: bias, moments: isFused ? moments : nil, groups: groups, output: output, compute: compute)
      run(forwardPlan, input, normalization, weight, ending, output)
    }
    compute.finish(moments, of: output, isFused: isFused, groups: groups)
  }

  /// What is pending, if the weight gradient takes it along; else it is done here.
  private func pendingOnTheWay(_ pending: PendingGradient?, _ dOutput: Activation) -> PendingGradient? {
    guard let pending else { return nil }
    precondition(dOutput.sameShape(as: pending.input), "shapes must agree")
    if case .winograd = weightPlan { return pending }
    compute.normalizeBackward(pending, dInput: dOutput)
    return nil
  }

  private func backwardWeight(
    _ input: Activation, _ normalization: Normalization?, _ dOutput: Activation, _ pending: PendingGradient?,
    _ dWeight: Floats, _ dBias: Floats?
  ) {
    checkInput(input, dWeight)
    checkOutput(dOutput, images: input.images)
    let (x, dy, dw) = (In(input.storage.pointer), dOutput.storage.pointer, dWeight.pointer)
    measured("dW", algorithms.backwardWeight, images: input.images) {
      switch weightPlan {
      case .direct(let gradient): gradient.run(compute, images: input.images, input: x, dOutput: dy, into: dw)
      case .linear(let gradient): gradient.run(compute, images: input.images, input: x, dOutput: dy, into: dw)
      case .winograd(let gradient):
        gradient.run(
          compute, images: input.images, views: normalization?.views ?? 1, input: x,
          constants: normalization.map { In($0.constants(view: 0)) }, dOutput: dy, pending: pending, into: dw)
      }
    }
    if let dBias { compute.channelSums(of: dOutput, into: dBias) }
  }

  private func materialized(_ map: NormalizedMap) -> Activation {
    compute.normalize(map.input, map.normalization, relu: true, output: map.scratch)
    return map.scratch
  }

  private func groups(_ plan: Plan, images: Int, views: Int) -> Int {
    precondition(images.isMultiple(of: views), "each view has the same number of images")
    switch plan {
    case .direct(let products): return products.product.groups(images: images, views: views)
    case .winograd(let product):
      return product.groups(images: images, views: views)
    }
  }

  private func measured(
    _ direction: String, _ algorithm: ConvolutionAlgorithm, images: Int, _ body: () -> Void
  ) {
    compute.measured(
      "\(shape.name) \(direction), \(algorithm.rawValue)", flops: 2 * shape.multiplyAddsPerImage * images,
      body)
  }

  private func require(_ plan: Plan) {
    switch plan {
    case .direct(let products):
      compute.require(products.scratchFloats(images: shape.images, threads: compute.team.threads))
    case .winograd(let product): compute.require(product.scratchFloats(compute, images: shape.images))
    }
  }

  private func run(
    _ plan: Plan, _ source: Activation, _ normalization: Normalization?, _ weight: Floats,
    _ ending: ResultEnding, _ target: Activation
  ) {
    let from = In(source.storage.pointer)
    switch plan {
    case .direct(let products):
      products.run(
        compute, images: source.images, from: from, weight: weight.pointer, ending: ending,
        into: target.storage.pointer)
    case .winograd(let product):
      var ending = ending
      ending.views = max(ending.views, normalization?.views ?? 1)
      product.run(
        compute, images: source.images, imagesMax: shape.images, views: ending.views, from: from,
        constants: normalization.map { In($0.constants(view: 0)) }, weight: weight.pointer, ending: ending,
        into: target.storage.pointer)
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
