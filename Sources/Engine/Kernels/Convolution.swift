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
    case linear(LineProduct)
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
    } else if shape.isLinear {
      forwardPlan = .linear(LineProduct(weight: .forward(shape)))
    } else {
      forwardPlan = .direct(.forward(shape, compute.instructionSet))
    }
    if let outputs = algorithms.backwardInput.outputs {
      backwardPlan = .winograd(WinogradProduct(shape, outputs: outputs, isGradient: true))
    } else if shape.isLinear {
      backwardPlan = .linear(LineProduct(weight: .backwardInput(shape)))
    } else {
      backwardPlan = .direct(.backwardInput(shape, compute.instructionSet))
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
  /// With `moments`, which normalises the output next, its statistics are taken in the same pass.
  ///
  /// `input` is `[N, C, H, W]`, `weight` `[K, C, R, R]`, `output` `[N, K, H′, W′]`, which is overwritten and
  /// may not alias the input. N may be less than planned.
  ///
  /// Reference: `a convolution agrees with a double precision reference`,
  /// `statistics taken in the same pass are those of a pass of its own`
  package func forward(
    input: Activation, weight: Floats, bias: Floats?, output: Activation, moments: Normalization? = nil
  ) {
    forward(input, nil, weight, bias, output, moments)
  }

  /// The same of a map that is normalised and rectified in the pass that reads it.
  ///
  /// The map's scratch may be overwritten.
  ///
  /// Reference: `a map normalised while it is read gives what a normalised map gives`
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
  ///
  /// Shapes as above; overwrites `output`, which may not alias the input.
  ///
  /// Reference: `a frozen normalisation that is fused gives what a pass of its own gives`
  package func forward(
    input: Activation, weight: Floats, bias: Floats?, output: Activation, frozen: FrozenNormalization
  ) {
    checkInput(input, weight)
    checkOutput(output, images: input.images)
    measured("forward", algorithms.forward, images: input.images) {
      let epilogue = ResultEpilogue(frozen, bias: bias, output: output, compute: compute)
      run(forwardPlan, input, nil, weight, epilogue, output)
    }
  }

  /// The gradient with respect to the input, from that of the output.
  ///
  /// `epilogue` is applied in the same pass where possible, and else as `Compute.applyEpilogue` does.
  ///
  /// `dOutput` is `[N, K, H′, W′]`; `dInput`, `[N, C, H, W]`, is overwritten and may not alias `dOutput`.
  ///
  /// Reference: `a convolution agrees with a double precision reference`,
  /// `an epilogue that is fused gives what a pass of its own gives`
  package func backwardInput(
    dOutput: Activation, weight: Floats, dInput: Activation, epilogue: BackwardEpilogue? = nil
  ) {
    checkInput(dInput, weight)
    checkOutput(dOutput, images: dInput.images)
    let groups = groups(backwardPlan, images: dInput.images, views: epilogue?.normalization.views ?? 1)
    let fused = compute.hasRoom(for: epilogue?.normalization, groups: groups) ? epilogue : nil
    measured("dX", algorithms.backwardInput, images: dInput.images) {
      let epilogue = ResultEpilogue(gradient: fused, groups: groups, output: dInput, compute: compute)
      run(backwardPlan, dOutput, nil, weight, epilogue, dInput)
    }
    guard let epilogue else { return }
    if fused != nil {
      let lines = dInput.images / epilogue.normalization.views * dInput.pixels
      compute.finishGradient(epilogue, groups: groups, lines: lines)
    } else {
      compute.applyEpilogue(to: dInput, epilogue)
    }
  }

  /// Whether `backwardInput` applies its epilogue in the same pass for any number of images in `views` parts.
  ///
  /// Then it reads what the epilogue's mask needs of a pixel before it writes there: the gradient may take
  /// the place of what came out of the ReLU.
  package func fusesEpilogue(views: Int) -> Bool {
    let groups = groups(backwardPlan, images: shape.images, views: views)
    return views * groups * ((shape.inputChannels + 15) / 16) <= Partials.entriesMax
  }

  /// The gradients with respect to weight and bias, from input and gradient of the output.
  ///
  /// With `prologue`, whose gradient may be in the place of `dOutput`, `dOutput` is computed from it first.
  ///
  /// Overwrites `dWeight`, `[K, C, R, R]`, and `dBias`, K elements; sums go over a fixed partition.
  ///
  /// Reference: `a convolution agrees with a double precision reference`,
  /// `a prologue that is fused gives what a pass of its own gives`
  package func backwardWeight(
    input: Activation, dOutput: Activation, prologue: BackwardPrologue? = nil, dWeight: Floats, dBias: Floats?
  ) {
    let prologue = fusedPrologue(prologue, dOutput)
    backwardWeight(input, nil, dOutput, prologue, dWeight, dBias)
  }

  /// The same for a map that was normalised and rectified as it was read. Its scratch may be where the
  /// prologue's gradient is.
  ///
  /// Reference: `a map normalised while it is read gives what a normalised map gives`
  package func backwardWeight(
    input: NormalizedMap, dOutput: Activation, prologue: BackwardPrologue? = nil, dWeight: Floats,
    dBias: Floats?
  ) {
    let prologue = fusedPrologue(prologue, dOutput)
    if case .winograd = weightPlan {
      backwardWeight(input.input, input.normalization, dOutput, prologue, dWeight, dBias)
    } else {
      backwardWeight(materialized(input), nil, dOutput, prologue, dWeight, dBias)
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
      let epilogue = ResultEpilogue(
        bias: bias, moments: isFused ? moments : nil, groups: groups, output: output, compute: compute)
      run(forwardPlan, input, normalization, weight, epilogue, output)
    }
    compute.finish(moments, of: output, isFused: isFused, groups: groups)
  }

  /// The prologue, if the weight gradient applies it as it reads; else it is applied here.
  private func fusedPrologue(_ prologue: BackwardPrologue?, _ dOutput: Activation) -> BackwardPrologue? {
    guard let prologue else { return nil }
    precondition(dOutput.sameShape(as: prologue.input), "shapes must agree")
    if case .winograd = weightPlan { return prologue }
    compute.normalizeBackward(prologue, dInput: dOutput)
    return nil
  }

  private func backwardWeight(
    _ input: Activation, _ normalization: Normalization?, _ dOutput: Activation,
    _ prologue: BackwardPrologue?,
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
          constants: normalization.map { In($0.constants(view: 0)) }, dOutput: dy, prologue: prologue,
          into: dw)
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
    case .linear(let product): return product.groups(images: images, views: views)
    case .winograd(let product): return product.groups(images: images, views: views)
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
      compute.require(products.scratchFloats(threads: compute.team.threads))
    case .linear(let product):
      compute.require(product.scratchFloats(images: shape.images, threads: compute.team.threads))
    case .winograd(let product): compute.require(product.scratchFloats(compute, images: shape.images))
    }
  }

  private func run(
    _ plan: Plan, _ source: Activation, _ normalization: Normalization?, _ weight: Floats,
    _ epilogue: ResultEpilogue, _ target: Activation
  ) {
    let from = In(source.storage.pointer)
    switch plan {
    case .direct(let products):
      products.run(
        compute, images: source.images, from: from, weight: weight.pointer, epilogue: epilogue,
        into: target.storage.pointer)
    case .linear(let product):
      product.run(
        compute, images: source.images, from: from, weight: weight.pointer, epilogue: epilogue,
        into: target.storage.pointer)
    case .winograd(let product):
      var epilogue = epilogue
      epilogue.views = max(epilogue.views, normalization?.views ?? 1)
      product.run(
        compute, images: source.images, imagesMax: shape.images, views: epilogue.views, from: from,
        constants: normalization.map { In($0.constants(view: 0)) }, weight: weight.pointer,
        epilogue: epilogue,
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
