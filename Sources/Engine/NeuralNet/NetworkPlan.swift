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
  private let recorded: ConvolutionRecord?

  /// An empty plan. Layers will be computed as `recorded` says; without it, as `compute` chooses.
  init(compute: Compute, arena: Arena, isTraining: Bool, recorded: ConvolutionRecord? = nil) {
    self.compute = compute
    self.arena = arena
    self.isTraining = isTraining
    usesBatchStatistics = isTraining
    self.recorded = recorded
  }

  /// Plans a part of a training that has forward passes only: its parameters get no gradients.
  func withoutGradients<Part>(_ part: (NetworkPlan) throws -> Part) rethrows -> Part {
    let before = isTraining
    isTraining = false
    defer { isTraining = before }
    return try part(self)
  }

  /// Notes memory that a part of the network takes outside the arena.
  func count(otherBytes bytes: Int) { otherBytes += bytes }

  /// Adds a parameter, with memory for its gradient when training; `initial` is what suits its role unless
  /// given. Throws `SystemError` without memory.
  func parameter(
    _ name: String, _ shape: [Int], _ role: Parameter.Role, initial: Parameter.Initial? = nil
  ) throws -> Parameter {
    let count = shape.reduce(1, *)
    let parameter = Parameter(
      name: name, shape: shape, role: role,
      initial: initial ?? Parameter.Initial(role, shape: shape, name: name), rate: rate,
      value: try arena.allocate(count),
      gradient: try arena.allocate(isTraining ? count : 0))
    parameters.append(parameter)
    return parameter
  }

  /// Adds a buffer filled with `value`. Throws `SystemError` without memory.
  func buffer(_ name: String, _ shape: [Int], value: Float, isCount: Bool = false) throws -> Buffer {
    let floats = try arena.allocate(shape.reduce(1, *))
    floats.fill(value)
    let buffer = Buffer(name: name, shape: shape, value: floats, isCount: isCount)
    buffers.append(buffer)
    return buffer
  }

  /// Plans the convolution of layer `name`.
  func convolution(
    _ name: String, _ shape: ConvolutionShape
  ) throws(ConvolutionRecordError) -> Convolution {
    let algorithms =
      try recorded?.algorithms(of: name, for: shape)
      ?? compute.convolutions.algorithms(for: shape, isTraining: usesBatchStatistics)
    layers.append(PlannedLayer(name: name, shape: shape, algorithms: algorithms, hasGradients: isTraining))
    return Convolution(shape, algorithms: algorithms, compute: compute)
  }

  /// Plans the stem of name `name`.
  func stem(_ name: String, _ shape: ConvolutionShape) -> StemConvolution {
    layers.append(PlannedLayer(name: name, shape: shape, algorithms: nil, hasGradients: isTraining))
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
