import Datasets
import NeuralNet
import Parallel
import Recipe

/// The classifier of one subject, trained epoch by epoch on its features.
final class LinearProbe {
  /// What one epoch gave.
  struct EpochResult {
    /// Mean loss over the training images, each before the step that it took part in.
    let loss: Double
    /// Share of the test images that are classified rightly after the epoch.
    let top1: Double
  }

  private let train: FeatureRows
  private let test: FeatureRows
  private let head: LinearClassifier
  private let optimizer: Optimizer
  private let seed: UInt64

  /// A fresh classifier of `classes`, its weights drawn from `seed`. Throws `SystemError` without memory.
  init(train: FeatureRows, test: FeatureRows, classes: Int, seed: UInt64, team: ThreadTeam) throws {
    self.train = train
    self.test = test
    self.seed = seed
    head = try LinearClassifier(
      featureCount: train.featureCount, classes: classes, batchSize: LinearProtocol.batchSize, team: team)
    optimizer = try Optimizer(
      OptimizerSpecification(name: .sgd, weightDecay: LinearProtocol.weightDecay, momentum: 0),
      parameters: head.parameters,
      compute: head.compute, arena: head.arena)
    head.initialize(seed: seed)
  }

  /// The classifier's weight `[classes, D]` and bias `[classes]`, where they lie.
  var state: [StoredTensor] { head.parameters.map { StoredTensor($0) } }

  /// Trains for one epoch at `rate` and tests.
  ///
  /// - Parameter proceed: called before each batch; what it throws ends the epoch in the middle.
  func run(epoch: Int, rate: Double, _ proceed: () throws -> Void) throws -> EpochResult {
    let order = EpochOrder(
      count: train.count, batchSize: LinearProtocol.batchSize, shuffle: true, dropLast: false, seed: seed,
      epoch: epoch)
    var loss = 0.0
    var seen = 0
    for index in 0..<order.batches {
      try proceed()
      let batch = order.batch(index)
      let result = head.step(features: train.features(batch, epoch: epoch), labels: train.labels(batch))
      optimizer.step(learningRate: rate)
      loss += result.loss * Double(batch.count)
      seen += batch.count
    }
    return EpochResult(loss: loss / Double(max(seen, 1)), top1: try accuracy(proceed))
  }

  private func accuracy(_ proceed: () throws -> Void) throws -> Double {
    var correct = 0
    for batch in test.batches() {
      try proceed()
      correct += head.evaluate(features: test.features(batch, epoch: 0), labels: test.labels(batch)).correct
    }
    return Double(correct) / Double(max(test.count, 1))
  }
}
