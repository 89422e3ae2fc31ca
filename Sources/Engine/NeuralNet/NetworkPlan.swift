import Kernels
import Tensors

/// Collects parameters, buffers and memory while a network is put together, in state-dict order.
package final class NetworkPlan {
  /// Where the operations run.
  let compute: Compute
  /// Where every tensor of the network lies.
  let arena: Arena
  /// With gradients and saved activations, or for forward passes only.
  private(set) var isTraining: Bool
  /// Whether the forward passes use batch statistics: their convolutions are then those of a training.
  let usesBatchStatistics: Bool
  /// How the optimiser sets the rate of parameters that are planned from now on.
  var rate = Parameter.Rate.scheduled
  /// Every parameter planned so far.
  private(set) var parameters: [Parameter] = []
  /// Every buffer planned so far.
  private(set) var buffers: [Buffer] = []
  /// Every layer with a weight planned so far.
  private(set) var layers: [PlannedLayer] = []
  /// Bytes of memory outside the arena.
  private(set) var otherBytes = 0
  /// Looks for values that are not finite in every step; `nil` in a training.
  let check: FiniteCheck?
  private let recorded: ConvolutionRecord?
  /// Where parameters and buffers are shared: what the names of its layers begin with in the record.
  private var sharedPrefix: String?
  /// The gradients of shared parameters, each with that of the parameter's first use, to which it is added.
  private(set) var sharedGradients: [SharedGradient] = []

  /// The gradient that a parameter has from a second part of the network.
  struct SharedGradient {
    /// That of the part that was planned first.
    let first: Floats
    /// That of the part that shares the parameter.
    let second: Floats
  }

  /// An empty plan. Layers will be computed as `recorded` says; without it, as `compute` chooses.
  init(
    compute: Compute, arena: Arena, isTraining: Bool, recorded: ConvolutionRecord? = nil,
    check: FiniteCheck? = nil
  ) {
    self.compute = compute
    self.arena = arena
    self.isTraining = isTraining
    usesBatchStatistics = isTraining
    self.recorded = recorded
    self.check = check
  }

  /// Plans a part of a training that has forward passes only: its parameters get no gradients.
  func withoutGradients<Part>(_ part: (NetworkPlan) throws -> Part) rethrows -> Part {
    let before = isTraining
    isTraining = false
    defer { isTraining = before }
    return try part(self)
  }

  /// Plans a part of a training that was planned already for images of another size: it takes the parameters
  /// and buffers of those names, and has gradients of its own. The record names its layers behind `prefix`.
  func sharing<Part>(prefix: String, _ part: (NetworkPlan) throws -> Part) rethrows -> Part {
    precondition(sharedPrefix == nil, "one part shares at a time")
    sharedPrefix = prefix
    defer { sharedPrefix = nil }
    return try part(self)
  }

  /// What a layer is called among all of the step: its name in a state dict, or behind the prefix of the part
  /// that shares it.
  func layerName(_ name: String) -> String { (sharedPrefix ?? "") + name }

  /// Notes memory that a part of the network takes outside the arena.
  func count(otherBytes bytes: Int) { otherBytes += bytes }

  /// Adds a parameter, with memory for its gradient when training; `initial` is what suits its role unless
  /// given. Throws `SystemError` without memory.
  func parameter(
    _ name: String, _ shape: [Int], _ role: Parameter.Role, initial: Parameter.Initial? = nil
  ) throws -> Parameter {
    let count = shape.reduce(1, *)
    if sharedPrefix != nil { return try sharedParameter(name, shape) }
    let parameter = Parameter(
      name: name, shape: shape, role: role,
      initial: initial ?? Parameter.Initial(role, shape: shape, name: name), rate: rate,
      value: try arena.allocate(count),
      gradient: try arena.allocate(isTraining ? count : 0))
    parameters.append(parameter)
    return parameter
  }

  private func sharedParameter(_ name: String, _ shape: [Int]) throws -> Parameter {
    guard let first = parameters.first(where: { $0.name == name && $0.shape == shape }) else {
      preconditionFailure("there is no parameter \(name) of shape \(shape) to share")
    }
    let gradient = try arena.allocate(first.gradient.count)
    sharedGradients.append(SharedGradient(first: first.gradient, second: gradient))
    return first.withGradient(gradient)
  }

  /// Adds a buffer filled with `value`. Throws `SystemError` without memory.
  func buffer(_ name: String, _ shape: [Int], value: Float, isCount: Bool = false) throws -> Buffer {
    if sharedPrefix != nil {
      guard let first = buffers.first(where: { $0.name == name && $0.shape == shape }) else {
        preconditionFailure("there is no buffer \(name) of shape \(shape) to share")
      }
      return first
    }
    let floats = try arena.allocate(shape.reduce(1, *))
    compute.fill(floats, with: value)
    let buffer = Buffer(name: name, shape: shape, value: floats, isCount: isCount)
    buffers.append(buffer)
    return buffer
  }

  /// Plans the convolution of layer `name`.
  func convolution(
    _ name: String, _ shape: ConvolutionShape
  ) throws(ConvolutionRecordError) -> Convolution {
    let name = layerName(name)
    let algorithms =
      try recorded?.algorithms(of: name, for: shape)
      ?? compute.convolutions.algorithms(for: shape, isTraining: usesBatchStatistics)
    layers.append(PlannedLayer(name: name, shape: shape, algorithms: algorithms, hasGradients: isTraining))
    return Convolution(shape, algorithms: algorithms, compute: compute)
  }

  /// Plans the stem of name `name`.
  func stem(_ name: String, _ shape: ConvolutionShape) -> StemConvolution {
    layers.append(
      PlannedLayer(name: layerName(name), shape: shape, algorithms: nil, hasGradients: isTraining))
    return StemConvolution(shape, compute: compute)
  }

  /// To be called once all layers are planned: the record has no others.
  func finish() throws(ConvolutionRecordError) {
    let planned = ConvolutionRecord(layers).layers
    let unknown = recorded?.layers.keys.filter { planned[$0] == nil } ?? []
    if !unknown.isEmpty { throw .unknownLayers(unknown.sorted()) }
  }

  /// Memory for an activation of its own. Throws `SystemError` without memory.
  func activation(images: Int, channels: Int, side: Int) throws -> Activation {
    try Activation(images: images, channels: channels, height: side, width: side, arena: arena)
  }
}
