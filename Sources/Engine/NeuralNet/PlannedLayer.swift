import Kernels

/// A layer of a network that multiplies by a weight, as it was planned.
package struct PlannedLayer: Sendable, Equatable {
  /// As the names of its parameters begin: `encoder.layer1.0.conv1`; at the size of the local views behind
  /// `LocalBranch.prefix`.
  package let name: String
  /// Its sizes, with the most images at once.
  package let shape: ConvolutionShape
  /// `nil` for the stem, which is computed in one way and has no gradient of its input.
  package let algorithms: ConvolutionAlgorithms?
  /// Whether a step computes its gradients; a moving average and an encoder in eval mode have forward passes
  /// only.
  package let hasGradients: Bool

  /// Whether it is computed on local views.
  package var isLocal: Bool { name.hasPrefix(LocalBranch.prefix) }
}
