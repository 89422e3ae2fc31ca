import NeuralNet
import Recipe

/// Follows the metric lines of a run and says when its health changes, and from time to time how it is.
package struct HealthMonitor: Sendable {
  private let rule: HealthRule
  private var window: [HealthRule.Figures] = []
  private var firstLoss: Double?
  /// The health is told at multiples of so many steps, a window of lines apart: by the step alone, so that a
  /// run that goes on tells it at the same steps as an undisturbed one.
  private let toldSteps: Int
  /// As it was last judged.
  package private(set) var health = JobHealth()

  /// - Parameters:
  ///   - specification: of the training.
  ///   - imageCount: of its dataset, held-back images included.
  package init(_ specification: TrainSpecification, imageCount: Int) {
    let configuration = ModelConfiguration(specification, classes: 0)
    let width = configuration.embeddingCount
    toldSteps = HealthRule.windowLines * specification.logEverySteps
    let trained = specification.trainedCount(of: imageCount)
    let batch = min(specification.batchSize, trained)
    let stepsPerEpoch = max(1, specification.stepsPerEpoch(imageCount: imageCount))
    rule = HealthRule(configuration.method.health(dimension: width), width: width) { step in
      // The last batch of an epoch may have fewer images than the others.
      let position = max(0, step - 1) % stepsPerEpoch
      return max(1, min(batch, trained - position * batch))
    }
  }

  /// Takes the loss of the run's first line, where that is not among the lines that follow.
  package mutating func remember(firstLoss: Double?) { self.firstLoss = firstLoss }

  /// Takes a line that an earlier attempt of the run has recorded.
  package mutating func remember(_ figures: HealthRule.Figures) {
    if window.isEmpty && firstLoss == nil { firstLoss = figures.loss }
    window.append(figures)
    if window.count > HealthRule.windowLines { window.removeFirst() }
    health = rule.judge(window, firstLoss: firstLoss)
  }

  /// Takes a line.
  ///
  /// - Returns: what is to be told: another state than before, or from time to time the same one with the
  ///   figures of now.
  package mutating func take(_ figures: HealthRule.Figures) -> JobHealth? {
    let before = health.state
    remember(figures)
    let isDue = health.step != nil && figures.step.isMultiple(of: toldSteps)
    return health.state == before && !isDue ? nil : health
  }
}
