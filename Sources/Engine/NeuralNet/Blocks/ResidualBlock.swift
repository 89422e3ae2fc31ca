import Kernels
import Tensors

/// A convolution of a residual block with the normalisation that follows, and what the convolution gave.
struct ConvolutionUnit {
  /// The convolution.
  let convolution: Convolution2D
  /// The normalisation of what it gives.
  let norm: BatchNorm
  /// What the last forward pass gave before the normalisation, `[N, K, H′, W′]`.
  let convolved: Activation

  /// Plans a unit for at most `images` images, with `memory` for what its convolution gives. `views` as in
  /// `BatchNorm`.
  init(
    _ unit: NetworkDescription.Unit, images: Int, views: Int, memory: Floats, plan: NetworkPlan
  ) throws {
    var shape = unit.shape
    shape.images = images
    convolution = try Convolution2D(unit.convolution, shape, bias: unit.hasBias, plan: plan)
    norm = try BatchNorm(
      unit.norm, channels: unit.channels, views: views, initialWeight: unit.normWeight, plan: plan)
    convolved = memory.activation(images: images, channels: unit.channels, side: unit.side)
  }
}

/// torchvision's `BasicBlock` and `Bottleneck`: `relu(units(x) + shortcut(x))`, each unit a convolution and
/// its normalisation, with a ReLU between two units.
///
/// Cached for the backward pass: what each convolution gave, and the block's output. What lies between two
/// convolutions is normalised where it is read, and so is the input of a block that the stem feeds directly.
/// The backward pass overwrites what it has used up.
final class ResidualBlock {
  /// What the last forward pass gave, `[N, K, H′, W′]`.
  let output: Activation
  private let units: [ConvolutionUnit]
  private let shortcut: ConvolutionUnit?
  private let scratch: Floats
  private let name: String
  private let check: FiniteCheck?
  private let compute: Compute

  /// Plans a block with its parameters for at most `images` images. `views` as in `BatchNorm`.
  init(
    _ block: NetworkDescription.Block, images: Int, views: Int, memory: BlockMemory, plan: NetworkPlan
  ) throws {
    name = plan.layerName(block.name)
    check = plan.check
    compute = plan.compute
    units = try zip(block.units, memory.convolved).map { unit, memory in
      try ConvolutionUnit(unit, images: images, views: views, memory: memory, plan: plan)
    }
    shortcut = try block.shortcut.map {
      try ConvolutionUnit($0, images: images, views: views, memory: memory.shortcut, plan: plan)
    }
    output = memory.output.activation(images: images, channels: block.last.channels, side: block.last.side)
    scratch = memory.scratch
  }

  private var first: ConvolutionUnit { units[0] }
  private var last: ConvolutionUnit { units[units.count - 1] }

  /// Forward with batch statistics; returns `output` for as many images as `input` has.
  ///
  /// With `norm`, which a block with a shortcut's convolution does not take, the block's input is what `norm`
  /// makes of `input`, with a ReLU.
  func forward(_ input: Activation, norm: BatchNorm? = nil) -> Activation {
    precondition(norm == nil || shortcut == nil, "the shortcut's convolution needs a normalised map")
    let images = 0..<input.images
    var maps = first.convolved.images(images)
    if let norm {
      first.convolution.forward(
        norm.map(input, scratch: scratch.activation(like: input)), output: maps, followedBy: first.norm)
    } else {
      first.convolution.forward(input, output: maps, followedBy: first.norm)
    }
    for index in 1..<units.count {
      let convolved = units[index].convolved.images(images)
      units[index].convolution.forward(
        units[index - 1].norm.map(maps, scratch: scratch.activation(like: maps)), output: convolved,
        followedBy: units[index].norm)
      maps = convolved
    }
    var identity = input
    if let shortcut {
      let convolved = shortcut.convolved.images(images)
      identity = scratch.activation(like: convolved)
      shortcut.convolution.forward(input, output: convolved, followedBy: shortcut.norm)
      shortcut.norm.normalize(convolved, relu: false, output: identity)
    }
    let result = output.images(images)
    last.norm.normalize(maps, residual: identity, residualNorm: norm, relu: true, output: result)
    check?.forward(name, result) { $0.finiteness(of: maps) }
    return result
  }

  /// Forward with running statistics; returns memory that the next but one block overwrites.
  func evaluate(_ input: Activation) -> Activation {
    let images = 0..<input.images
    var identity = input
    if let shortcut {
      identity = shortcut.convolved.images(images)
      shortcut.convolution.evaluate(
        input, output: identity, followedBy: shortcut.norm.frozen(relu: false))
    }
    var maps = input
    for unit in units.dropLast() {
      let convolved = unit.convolved.images(images)
      unit.convolution.evaluate(maps, output: convolved, followedBy: unit.norm.frozen(relu: true))
      maps = convolved
    }
    let result = last.convolved.images(images)
    last.convolution.evaluate(
      maps, output: result, followedBy: last.norm.frozen(residual: identity, relu: true))
    return result
  }

  /// Whether the gradient of the input may take the place of the input.
  var canReplaceInput: Bool {
    first.convolution.fusesEpilogue(views: first.norm.normalization.views)
  }

  /// The epilogue of the gradient of `output`, for as many images as `residual` has.
  ///
  /// `residual` is a gradient of `output` from elsewhere, to be added.
  func backwardEpilogue(images: Range<Int>, residual: Activation? = nil) -> BackwardEpilogue {
    last.norm.backwardEpilogue(
      input: last.convolved.images(images), mask: .output(output.images(images)), residual: residual)
  }

  /// Memory of the output's shape that `backward` has used up before it writes `dInput`.
  func spent(images: Range<Int>) -> Activation { last.convolved.images(images) }

  /// Backward: from the gradient of `output`, after this block's epilogue, to that of the block's input.
  ///
  /// `below` makes the epilogue of that gradient from the part of the shortcut; without one, the parts are
  /// only added. `input` and `norm` are those of the last `forward`. `dInput` may be `input` if there is no
  /// `norm`, and the epilogue does not read `input` or `canReplaceInput`.
  func backward(
    input: Activation, norm: BatchNorm? = nil, gradient: Activation, dInput: Activation,
    below: (Activation) -> BackwardEpilogue?
  ) {
    let images = 0..<input.images
    let prologue = backwardInner(gradient, images: images)
    let convolved = first.convolved.images(images)
    if let norm {
      first.convolution.backwardParameters(
        input: norm.map(input, scratch: scratch.activation(like: input)), dOutput: convolved,
        prologue: prologue)
    } else {
      first.convolution.backwardParameters(input: input, dOutput: convolved, prologue: prologue)
    }
    let branch = backwardShortcut(input: input, gradient)
    let epilogue = below(branch)
    first.convolution.backwardInput(dOutput: convolved, dInput: dInput, epilogue: epilogue)
    if epilogue == nil { compute.add(branch.storage, to: dInput.storage) }
  }

  /// Backward through all units but the first; returns the prologue of the first one, with its
  /// gradient in scratch memory.
  private func backwardInner(_ gradient: Activation, images: Range<Int>) -> BackwardPrologue {
    var gradient = gradient
    for index in (1..<units.count).reversed() {
      let (unit, before) = (units[index], units[index - 1])
      let convolved = unit.convolved.images(images)
      let input = before.convolved.images(images)
      let inner = scratch.activation(like: input)
      unit.convolution.backwardParameters(
        input: before.norm.map(input, scratch: inner), dOutput: convolved,
        prologue: unit.norm.backwardPrologue(gradient, input: convolved))
      unit.convolution.backwardInput(
        dOutput: convolved, dInput: inner,
        epilogue: before.norm.backwardEpilogue(input: input, mask: .recomputed))
      gradient = inner
    }
    return first.norm.backwardPrologue(gradient, input: first.convolved.images(images))
  }

  /// The part of the input's gradient that comes through the shortcut.
  private func backwardShortcut(input: Activation, _ gradient: Activation) -> Activation {
    guard let shortcut else { return gradient }
    let convolved = shortcut.convolved.images(0..<input.images)
    let branch = scratch.activation(like: input)
    compute.applyEpilogue(to: gradient, shortcut.norm.backwardEpilogue(input: convolved, mask: .none))
    shortcut.convolution.backwardParameters(
      input: input, dOutput: convolved, prologue: shortcut.norm.backwardPrologue(gradient, input: convolved))
    shortcut.convolution.backwardInput(dOutput: convolved, dInput: branch)
    return branch
  }
}
