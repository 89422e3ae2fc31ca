import JobModel
import NeuralNet

/// Follows the metric lines of a run and says when its health changes.
package struct HealthMonitor: Sendable {
  private let rule: HealthRule
  private var window: [HealthRule.Figures] = []
  private var firstLoss: Double?
  /// As it was last judged.
  package private(set) var health = JobHealth()

  /// - Parameters:
  ///   - specification: of the training.
  ///   - imageCount: of its dataset.
  package init(_ specification: TrainSpecification, imageCount: Int) {
    let batch = min(specification.batchSize, imageCount)
    let stepsPerEpoch = max(1, specification.stepsPerEpoch(imageCount: imageCount))
    rule = HealthRule(
      gamma: specification.loss.gamma,
      width: specification.projector.widths.last
        ?? EncoderConfiguration(specification.encoder).featureCount
    ) { step in
      // The last batch of an epoch may have fewer images than the others.
      let position = max(0, step - 1) % stepsPerEpoch
      return max(1, min(batch, imageCount - position * batch))
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
  /// - Returns: the new state, if it is another one than before.
  package mutating func take(_ figures: HealthRule.Figures) -> JobHealth? {
    let before = health.state
    remember(figures)
    return health.state == before ? nil : health
  }
}
