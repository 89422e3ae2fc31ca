import Kernels
import Tensors

/// Collects parameters, buffers and memory while a network is put together, in state-dict order.
final class NetworkPlan {
  /// Where the operations run.
  let compute: Compute
  /// Where every tensor of the network lies.
  let arena: Arena
  /// With gradients and saved activations, or for inference only.
  let isTraining: Bool
  /// Every parameter planned so far.
  private(set) var parameters: [Parameter] = []
  /// Every buffer planned so far.
  private(set) var buffers: [Buffer] = []

  /// An empty plan.
  init(compute: Compute, arena: Arena, isTraining: Bool) {
    self.compute = compute
    self.arena = arena
    self.isTraining = isTraining
  }

  /// Adds a parameter, with memory for its gradient when training. Throws `SystemError` without memory.
  func parameter(_ name: String, _ shape: [Int], _ role: Parameter.Role) throws -> Parameter {
    let count = shape.reduce(1, *)
    let parameter = Parameter(
      name: name, shape: shape, role: role, value: try arena.allocate(count),
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

  /// Memory for an activation of its own. Throws `SystemError` without memory.
  func activation(images: Int, channels: Int, side: Int) throws -> Activation {
    try Activation(images: images, channels: channels, height: side, width: side, arena: arena)
  }
}
