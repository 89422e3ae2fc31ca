import Kernels

// The tensors of a network's state dict, as PyTorch names and shapes them.

/// A tensor of a state dict.
package struct StateTensor: Sendable, Equatable {
  /// The name in the state dict.
  package let name: String
  /// Sizes of the dimensions, outermost first; empty for a count.
  package let shape: [Int]
  /// Whether it is a 64-bit integer, as `num_batches_tracked` is.
  package let isCount: Bool

  init(_ name: String, _ shape: [Int], isCount: Bool = false) {
    self.name = name
    self.shape = shape
    self.isCount = isCount
  }
}

extension NetworkDescription {
  /// Every tensor of the network's state, in the order of the forward pass.
  package var state: [StateTensor] {
    let units = [stem] + blocks.flatMap { $0.units + [$0.shortcut].compactMap { $0 } }
    var tensors = units.flatMap(\.state)
    if let fc {
      tensors.append(StateTensor("\(fc.name).weight", [fc.outputs, fc.inputs]))
      tensors.append(StateTensor("\(fc.name).bias", [fc.outputs]))
    }
    return tensors
  }
}

extension NetworkDescription.Unit {
  /// Weight and bias of the convolution, and what the normalisation has.
  fileprivate var state: [StateTensor] {
    var tensors = [
      StateTensor(
        "\(convolution).weight", [channels, shape.inputChannels, shape.kernel, shape.kernel])
    ]
    if hasBias { tensors.append(StateTensor("\(convolution).bias", [channels])) }
    for name in ["weight", "bias", "running_mean", "running_var"] {
      tensors.append(StateTensor("\(norm).\(name)", [channels]))
    }
    tensors.append(StateTensor("\(norm).num_batches_tracked", [], isCount: true))
    return tensors
  }
}
