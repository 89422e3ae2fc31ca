import Tensors

/// A tensor that an optimiser changes.
package struct Parameter: Sendable {
  /// What a parameter does, as optimisers and initialisation tell apart.
  package enum Role: Sendable, Equatable {
    /// Matrix or kernel of a convolution or a linear layer.
    case weight
    /// Bias of a convolution or a linear layer.
    case bias
    /// Weight or bias of a normalisation.
    case norm
  }

  /// What a parameter starts with.
  package enum Initial: Sendable, Equatable {
    /// The same number everywhere.
    case constant(Float)
    /// PyTorch's default of convolutions and linear layers: uniform in ±1/√fan-in (Kaiming uniform, a = √5);
    /// for a bias the fan-in of the weight before it.
    case uniformFanIn
    /// torchvision's for the convolutions of a ResNet: N(0, 2/fan-out) (Kaiming normal, fan-out, ReLU).
    case normalFanOut

    /// What suits a parameter of such a role, shape and name.
    init(_ role: Role, shape: [Int], name: String) {
      switch role {
      case .norm: self = .constant(name.hasSuffix(".weight") ? 1 : 0)
      case .bias: self = .uniformFanIn
      case .weight: self = shape.count == 2 ? .uniformFanIn : .normalFanOut
      }
    }
  }

  /// How an optimiser sets its learning rate.
  package enum Rate: Sendable, Equatable {
    /// By the schedule.
    case scheduled
    /// The rate before warm-up and decay, at every step.
    case constant
  }

  /// The name in a PyTorch state dict, such as `encoder.layer1.0.conv1.weight`.
  package let name: String
  /// PyTorch's shape: `[K, C, R, R]`, `[out, in]` or `[C]`.
  package let shape: [Int]
  /// What it does.
  package let role: Role
  /// What it starts with.
  package let initial: Initial
  /// By which rate it changes.
  package var rate = Rate.scheduled
  /// The elements, in the row-major order of `shape`.
  package let value: Floats
  /// The gradient of the last step, as many elements; none (count 0) in a network for inference.
  package private(set) var gradient: Floats

  /// The same parameter with another place for its gradient.
  func withGradient(_ gradient: Floats) -> Parameter {
    var result = self
    result.gradient = gradient
    return result
  }
}

/// A tensor that belongs to a network's state but not to its optimisation: running statistics.
package struct Buffer: Sendable {
  /// The name in a PyTorch state dict, such as `encoder.bn1.running_mean`.
  package let name: String
  /// PyTorch's shape: `[C]`, or `[]` for a count.
  package let shape: [Int]
  /// The elements.
  package let value: Floats
  /// A 64-bit integer in PyTorch (`num_batches_tracked`); here a whole number in one float, exact up to 2²⁴.
  package let isCount: Bool
}
