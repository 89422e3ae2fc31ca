import JSONText
import Recipe

/// What an evaluation found, with everything that its numbers must be read with.
package struct EvaluationResult: Sendable, Equatable {
  /// What a fit to convergence was: protocol `logistic`.
  package struct Fit: Sendable, Equatable {
    /// The ridge that was chosen: half of it times the squared weights was added to the mean cross-entropy.
    package let ridge: Double
    /// Steps of the optimiser until it had converged.
    package let iterations: Int
  }

  /// Accuracies of the two yardsticks, by the same protocol, means over the seeds.
  package struct Baselines: Sendable, Equatable {
    /// The same classifier on the pixels themselves.
    package let rawPixels: Double
    /// The same encoder with the weights it began with.
    package let untrained: Double
  }

  /// What was asked for.
  package let specification: EvaluateSpecification
  /// What of the network was evaluated.
  package let layer: EvaluationLayer
  /// Images whose labels the classifier was fitted to, with the first seed.
  package let trainImages: Int
  /// The classes' names.
  package let classes: [String]
  /// Of the test images.
  let testLabels: [Int]
  let outcomes: [EvaluationSubject: [EvaluationOutcome]]
  private let training: TrainSpecification
  private let isa: String

  init(
    _ specification: EvaluateSpecification, _ training: TrainSpecification, layer: EvaluationLayer,
    isa: String, trainImages: Int, testLabels: [Int], classes: [String],
    outcomes: [EvaluationSubject: [EvaluationOutcome]]
  ) {
    self.specification = specification
    self.training = training
    self.layer = layer
    self.isa = isa
    self.trainImages = trainImages
    self.testLabels = testLabels
    self.classes = classes
    self.outcomes = outcomes
  }

  /// How the encoder was evaluated.
  package var `protocol`: EvaluationProtocol { specification.protocol }
  /// Share of the test images that the classifier gets right at its end, the mean over the seeds.
  package var top1: Double { mean(.trained, \.top1) }
  /// What the first seed's fit was; only with protocol `logistic`.
  package var fit: Fit? { outcomes[.trained]?.first?.fit }
  /// Share of the labelled training images that the classifier gets right, the mean over the seeds.
  package var trainTop1: Double { mean(.trained, \.trainTop1) }

  /// Only where they were asked for.
  package var baselines: Baselines? {
    guard outcomes[.rawPixels] != nil, outcomes[.untrained] != nil else { return nil }
    return Baselines(rawPixels: mean(.rawPixels, \.top1), untrained: mean(.untrained, \.top1))
  }

  /// For each seed the class that each test image was taken for.
  package var predictions: [[Int]] { (outcomes[.trained] ?? []).map(\.test.predictions) }

  /// Test images by their class, and by the class that they were taken for; all seeds together.
  package var confusion: [[Int]] {
    var counts = Array(repeating: Array(repeating: 0, count: classes.count), count: classes.count)
    for outcome in outcomes[.trained] ?? [] {
      for (label, predicted) in zip(testLabels, outcome.test.predictions) { counts[label][predicted] += 1 }
    }
    return counts
  }

  /// 95 % of such intervals hold the true accuracy: Student's over the seeds, or with one Wilson's over the
  /// test images.
  var interval: Interval {
    let values = (outcomes[.trained] ?? []).map(\.top1)
    guard values.count > 1 else { return .wilson(share: top1, count: testLabels.count) }
    let interval = Interval.student(values)
    return Interval(low: max(0, interval.low), high: min(1, interval.high))
  }

  /// How far the trained encoder is ahead of a baseline; `nil`: that was not evaluated.
  func lead(over baseline: EvaluationSubject) -> PairedDifference? {
    guard let first = outcomes[.trained], let second = outcomes[baseline] else { return nil }
    return PairedDifference(
      first.map(\.test.predictions), over: second.map(\.test.predictions), labels: testLabels)
  }

  private func mean(_ subject: EvaluationSubject, _ figure: (EvaluationOutcome) -> Double) -> Double {
    Interval.mean((outcomes[subject] ?? []).map(figure))
  }

  /// Classes up to which a result has the confusion matrix; it is an artifact in any case.
  private static let confusionClassesMax = 100

  /// As `result` of a job.
  package var json: JSON {
    let outcomes = outcomes[.trained] ?? []
    let interval = interval
    let isRepeated = specification.seeds > 1
    let confusion = confusion
    var members: [String: JSON] = [
      "protocol": .string(`protocol`.rawValue), "features": .string(specification.features.rawValue),
      "layer": .string(layer.rawValue), "feature_layer": .string(layer.rawValue),
      "dataset": .string(specification.dataset.name), "isa": .string(isa),
      "train_images": .integer(trainImages), "test_images": .integer(testLabels.count),
      "label_share": .number(specification.labelShare), "seeds": .integer(specification.seeds),
      "top1": .number(top1),
      "top1_std": isRepeated ? .number(Interval.deviation(outcomes.map(\.top1))) : .null,
      "top1_interval": interval.json, "top5": .number(mean(.trained, \.test.top5)),
      "train_top1": .number(trainTop1), "per_class": perClass(confusion),
      "confusion": classes.count <= Self.confusionClassesMax ? Self.json(confusion) : .null,
      "runs": runs, "verdict": .string(verdict),
    ]
    if specification.protocol == .knn { members["metric"] = .string(specification.knn.metric.rawValue) }
    if let model = specification.checkpoint.model {
      members["model"] = .string(model)
    } else {
      members["preset"] = .string(training.preset.rawValue)
      members["method"] = .string(training.loss.method.rawValue)
    }
    if let fit {
      members["ridge"] = .number(fit.ridge)
      members["iterations"] = .integer(fit.iterations)
    }
    if let baselines {
      members["baselines"] = [
        "raw_pixels": .number(baselines.rawPixels), "untrained": .number(baselines.untrained),
      ]
      members["lead"] = [
        "raw_pixels": lead(over: .rawPixels)?.json ?? .null,
        "untrained": lead(over: .untrained)?.json ?? .null,
      ]
    }
    return .object(members)
  }

  /// Rows as JSON.
  package static func json(_ confusion: [[Int]]) -> JSON {
    .array(confusion.map { .array($0.map(JSON.integer)) })
  }

  private func perClass(_ confusion: [[Int]]) -> JSON {
    let runs = max(outcomes[.trained]?.count ?? 1, 1)
    return .array(
      classes.enumerated().map { label, name in
        let images = confusion[label].reduce(0, +)
        return [
          "class": .string(name), "images": .integer(images / runs),
          "top1": images == 0 ? .null : .number(Double(confusion[label][label]) / Double(images)),
        ]
      })
  }

  /// What each seed gave.
  private var runs: JSON {
    .array(
      (outcomes[.trained] ?? []).enumerated().map { run, outcome in
        var members: [String: JSON] = [
          "seed": .integer(Int(clamping: specification.seed) + run), "top1": .number(outcome.top1),
          "top5": .number(outcome.test.top5), "train_top1": .number(outcome.trainTop1),
        ]
        if let fit = outcome.fit {
          members["ridge"] = .number(fit.ridge)
          members["iterations"] = .integer(fit.iterations)
        }
        for subject in [EvaluationSubject.rawPixels, .untrained] {
          guard let baseline = outcomes[subject]?[run] else { continue }
          members[subject.rawValue] = .number(baseline.top1)
        }
        return .object(members)
      })
  }
}

extension Interval {
  /// `[low, high]`.
  fileprivate var json: JSON { [.number(low), .number(high)] }
}

extension PairedDifference {
  fileprivate var json: JSON { ["difference": .number(mean), "interval": interval.json] }
}
