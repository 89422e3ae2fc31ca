import JSONText
import Text

/// Which checkpoints a run writes and keeps.
package struct CheckpointPolicy: JSONRecord, Equatable {
  /// Epochs from one checkpoint to the next, ≥ 1; the end of the run always has one.
  package var everyEpochs: Int
  /// Also writes the untrained state as step 0.
  package var initial: Bool
  /// How many of the newest are kept, ≥ 1; `step 0` is kept in addition when `initial` asked for it.
  package var keepLast: Int
  /// Those at the end of every N epochs are kept as well; `nil`: none for that.
  package var keepEvery: Int?
  /// The best are kept as well; `nil`: none for that.
  package var keepBest: KeepBest?

  /// The default values are those of the `seed` recipe.
  package init(
    everyEpochs: Int = 10, initial: Bool = false, keepLast: Int = 3, keepEvery: Int? = nil,
    keepBest: KeepBest? = nil
  ) {
    self.everyEpochs = everyEpochs
    self.initial = initial
    self.keepLast = keepLast
    self.keepEvery = keepEvery
    self.keepBest = keepBest
  }

  package static let fields = Fields<Self> {
    Field(
      "every_epochs", \.everyEpochs, .integer(1...1_000_000),
      "Epochs from one checkpoint to the next; the end of the run always has one.")
    Field("initial", \.initial, .boolean, "Whether the untrained state is written as well, as step 0.")
    Field("keep_last", \.keepLast, .integer(1...10_000), "How many of the newest checkpoints are kept.")
    Field(
      "keep_every", \.keepEvery, .integerOrNull(1...1_000_000),
      "Checkpoints at the end of every N epochs are kept as well; null: none for that.")
    Field(
      "keep_best", \.keepBest, .recordOrNull(KeepBest()),
      "The checkpoints that are best by a metric are kept as well; null: none for that.")
  }
}

/// Checkpoints that are kept because of a metric, as its last line before the checkpoint has it.
package struct KeepBest: JSONRecord, Equatable {
  /// Which value is the best.
  package enum Mode: String, Sendable, CaseIterable { case min, max }
  /// A key of the metric lines, such as `loss`.
  package var metric: ByteString
  /// `nil`: as the metric says of itself, see `Metric.best`.
  package var mode: Mode?
  /// How many are kept, ≥ 1.
  package var count: Int

  package init(metric: ByteString = "loss", mode: Mode? = nil, count: Int = 1) {
    self.metric = metric
    self.mode = mode
    self.count = count
  }

  /// Whether the highest value is the best.
  package var isHighestBest: Bool {
    guard let mode else { return Metric.highestBest.contains(metric.string) }
    return mode == .max
  }

  package static let fields = Fields<Self> {
    Field(
      "metric", \.metric, .storedMetric,
      "A metric of the training, as the last line before the checkpoint has it.")
    Field(
      "mode", \.mode, .choiceOrNull(),
      "Whether the lowest or the highest value is best; null: the metric's own direction, such as min for "
        + "loss, max for top1, rankme and std_mean.")
    Field("count", \.count, .integer(1...1000), "How many are kept.")
  }
}

extension Form where Value == ByteString {
  /// The name of a metric. Earlier versions took any name: a stored specification is read with the one that
  /// it has, and a new one is checked where it comes in.
  fileprivate static var storedMetric: Form {
    Form(
      schema: .choiceSchema(among: TrainSpecification.metricNames),
      requirement: { _ in JSON.lineRequirement(charactersMax: 64) },
      parse: { $0.string.flatMap { $0.isLine(charactersMax: 64) ? $0 : nil } }, json: { .string($0) })
  }
}

/// What happens when a loss, a gradient or a weight is no longer finite.
package struct DivergencePolicy: JSONRecord, Equatable {
  /// What is done.
  package enum Policy: String, Sendable, CaseIterable {
    /// The job fails.
    case fail
    /// It goes on from its last checkpoint with a lower learning rate, from there to the end.
    case rollback
  }
  package var policy: Policy
  /// What the learning rate is multiplied by at each rollback, above 0 and below 1.
  package var factor: Double
  /// Rollbacks in a run; the next divergence fails the job.
  package var maxRollbacks: Int

  package init(policy: Policy = .fail, factor: Double = 0.5, maxRollbacks: Int = 3) {
    self.policy = policy
    self.factor = factor
    self.maxRollbacks = maxRollbacks
  }

  package static let fields = Fields<Self> {
    Field(
      "policy", \.policy, .choice,
      "fail: the job fails; rollback: it goes on from its last checkpoint with a lower learning rate.")
    Field(
      "lr_factor", \.factor, .number(.positive(0.99)),
      "rollback: what the learning rate is multiplied by each time.")
    Field(
      "max_rollbacks", \.maxRollbacks, .integer(1...100),
      "rollback: how often in one run; the next divergence fails the job.")
  }
}
