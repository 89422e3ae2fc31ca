import JSONText
import Recipe

/// What an evaluation found, with everything that its numbers must be read with.
package struct EvaluationResult: Sendable, Equatable {
  /// Accuracies of the two yardsticks, by the same protocol.
  package struct Baselines: Sendable, Equatable {
    /// The same classifier on the pixels themselves.
    package let rawPixels: Double
    /// The same encoder with the weights it began with.
    package let untrained: Double
  }

  /// What a fit to convergence was: protocol `logistic`.
  package struct Fit: Sendable, Equatable {
    /// The ridge that was chosen: half of it times the squared weights was added to the mean cross-entropy.
    package let ridge: Double
    /// Share of the training images that the classifier gets right.
    package let trainTop1: Double
    /// Steps of the optimiser until it had converged.
    package let iterations: Int
  }

  /// How the encoder was evaluated.
  package let `protocol`: EvaluationProtocol
  /// What the classifier was trained on.
  package let features: EvaluateSpecification.Features
  /// What of the encoder was evaluated.
  package let layer: EvaluationLayer
  /// The instruction set that computed it; another one rounds differently.
  package let isa: String
  /// Images that the classifier was fitted to and tested on.
  package let trainImages: Int
  package let testImages: Int
  /// The recipe of the training.
  package let preset: Preset
  /// The dataset's name.
  package let dataset: String
  /// Share of the test images that the classifier gets right at its end.
  package let top1: Double
  /// Only with protocol `logistic`.
  package let fit: Fit?
  /// Only where they were asked for.
  package let baselines: Baselines?

  /// As `result` of a job.
  package var json: JSON {
    var members: [String: JSON] = [
      "protocol": .string(`protocol`.rawValue), "features": .string(features.rawValue),
      "layer": .string(layer.rawValue), "feature_layer": .string(layer.rawValue),
      "preset": .string(preset.rawValue), "dataset": .string(dataset),
      "method": "vicreg", "isa": .string(isa), "train_images": .integer(trainImages),
      "test_images": .integer(testImages), "top1": .number(top1),
    ]
    if let fit {
      members["ridge"] = .number(fit.ridge)
      members["train_top1"] = .number(fit.trainTop1)
      members["iterations"] = .integer(fit.iterations)
    }
    if let baselines {
      members["baselines"] = [
        "raw_pixels": .number(baselines.rawPixels), "untrained": .number(baselines.untrained),
      ]
    }
    return .object(members)
  }
}
