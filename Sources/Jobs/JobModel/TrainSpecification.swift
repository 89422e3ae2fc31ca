import Text

/// Everything that determines a pre-training run, resolved: no field is left to a default.
///
/// The JSON form is the `spec` of a `train` job (snake_case, one object a nested type).
/// Two runs of one value with one binary and instruction set give the same bits.
package struct TrainSpecification: Sendable, Equatable {
  package var preset: Preset
  package var dataset: DatasetSelection
  /// Side of the views in pixels; `nil`: that of the dataset's images.
  package var imageSize: Int?
  package var encoder: EncoderSpecification
  package var convolution: ConvolutionMode
  package var projector: ProjectorSpecification
  package var loss: LossSpecification
  package var augmentation: AugmentationSpecification
  package var optimizer: OptimizerSpecification
  package var schedule: ScheduleSpecification
  /// Passes over the dataset, ≥ 1.
  package var epochs: Int
  /// Stops after that many optimiser steps even if epochs are left; `nil`: no such limit.
  package var maxSteps: Int?
  /// Images per step (each gives two views), ≥ 2.
  package var batchSize: Int
  /// A new order each epoch; `false` keeps the order of the dataset.
  package var shuffle: Bool
  /// Leaves the short last batch of an epoch out.
  package var dropLast: Bool
  package var seed: UInt64
  package var checkpoint: CheckpointPolicy
  /// What follows when the loss is no longer finite.
  package var divergence: DivergencePolicy
  /// Optimiser steps from one metric line to the next, ≥ 1; the first and last step always have one.
  package var logEverySteps: Int

  package init(
    preset: Preset, dataset: DatasetSelection, imageSize: Int? = nil, encoder: EncoderSpecification,
    convolution: ConvolutionMode, projector: ProjectorSpecification, loss: LossSpecification,
    augmentation: AugmentationSpecification,
    optimizer: OptimizerSpecification, schedule: ScheduleSpecification, epochs: Int, maxSteps: Int? = nil,
    batchSize: Int, shuffle: Bool, dropLast: Bool, seed: UInt64, checkpoint: CheckpointPolicy,
    divergence: DivergencePolicy = DivergencePolicy(), logEverySteps: Int
  ) {
    self.preset = preset
    self.dataset = dataset
    self.imageSize = imageSize
    self.encoder = encoder
    self.convolution = convolution
    self.projector = projector
    self.loss = loss
    self.augmentation = augmentation
    self.optimizer = optimizer
    self.schedule = schedule
    self.epochs = epochs
    self.maxSteps = maxSteps
    self.batchSize = batchSize
    self.shuffle = shuffle
    self.dropLast = dropLast
    self.seed = seed
    self.checkpoint = checkpoint
    self.divergence = divergence
    self.logEverySteps = logEverySteps
  }
}

/// Which images: `dataset` in both kinds of job.
package struct DatasetSelection: Sendable, Equatable {
  /// The part of a dataset.
  package enum Split: String, Sendable, CaseIterable { case train, test }
  /// `fashion-mnist`, `synthetic`, or the name of a dataset registered by path.
  package var name: ByteString
  package var split: Split
  /// Uses only the first N images; `nil`: all.
  package var limit: Int?

  package init(
    name: ByteString, split: Split, limit: Int? = nil
  ) {
    self.name = name
    self.split = split
    self.limit = limit
  }
}

/// Which checkpoints a run writes and keeps.
package struct CheckpointPolicy: Sendable, Equatable {
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

  package init(
    everyEpochs: Int, initial: Bool, keepLast: Int, keepEvery: Int? = nil, keepBest: KeepBest? = nil
  ) {
    self.everyEpochs = everyEpochs
    self.initial = initial
    self.keepLast = keepLast
    self.keepEvery = keepEvery
    self.keepBest = keepBest
  }
}

/// Checkpoints that are kept because of a metric, as its last line before the checkpoint has it.
package struct KeepBest: Sendable, Equatable {
  /// Which values are good.
  package enum Mode: String, Sendable, CaseIterable { case min, max }
  /// A key of the metric lines, such as `loss`.
  package var metric: ByteString
  package var mode: Mode
  /// How many are kept, ≥ 1.
  package var count: Int

  package init(metric: ByteString = "loss", mode: Mode = .min, count: Int = 1) {
    self.metric = metric
    self.mode = mode
    self.count = count
  }
}

/// What follows when a loss, a gradient or a weight is no longer finite.
package struct DivergencePolicy: Sendable, Equatable {
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
}
