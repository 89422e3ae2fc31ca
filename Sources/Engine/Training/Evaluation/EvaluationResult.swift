import JobModel

/// What an evaluation found, with everything that its numbers must be read with.
package struct EvaluationResult: Sendable, Equatable {
  /// Accuracies of the two yardsticks, by the same protocol.
  package struct Baselines: Sendable, Equatable {
    /// The same classifier on the pixels themselves.
    package let rawPixels: Double
    /// The same encoder with the weights it began with.
    package let untrained: Double
  }

  /// How the encoder was judged.
  package let `protocol`: EvaluationProtocol
  /// What the classifier was trained on.
  package let features: EvaluateSpecification.Features
  /// `fc`, or `pooled` for an encoder that ends with the pooled maps.
  package let featureLayer: String
  /// The recipe of the training.
  package let preset: Preset
  /// The data set's name.
  package let dataset: String
  /// Share of the test images that the classifier gets right after its last epoch.
  package let top1: Double
  /// Only where they were asked for.
  package let baselines: Baselines?

  /// As `result` of a job.
  package var json: JSON {
    var members: [String: JSON] = [
      "protocol": .string(`protocol`.rawValue), "features": .string(features.rawValue),
      "feature_layer": .string(featureLayer), "preset": .string(preset.rawValue), "dataset": .string(dataset),
      "top1": .number(top1),
    ]
    if let baselines {
      members["baselines"] = [
        "raw_pixels": .number(baselines.rawPixels), "untrained": .number(baselines.untrained),
      ]
    }
    return .object(members)
  }
}
