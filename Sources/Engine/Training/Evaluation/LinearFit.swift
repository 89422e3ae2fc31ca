import Datasets
import NeuralNet
import Parallel
import Recipe
import Tensors

/// One Linear on rows of features, trained epoch by epoch.
final class LinearFit {
  private let linear: LinearProtocol
  private let train: FeatureRows
  /// Rows of `train` whose labels are used.
  private let labelled: [Int]
  private let testRows: FeatureRows
  private let head: LinearClassifier
  private let optimizer: Optimizer
  private let seed: UInt64

  /// A fresh classifier of `classes`, its weights drawn from `seed`. Throws `SystemError` without memory.
  init(
    _ linear: LinearProtocol, train: FeatureRows, labelled: [Int], test: FeatureRows, classes: Int,
    seed: UInt64, team: ThreadTeam
  ) throws {
    self.linear = linear
    self.train = train
    self.labelled = labelled
    testRows = test
    self.seed = seed
    head = try LinearClassifier(
      featureCount: train.featureCount, classes: classes, batchSize: EvaluationSubjects.batchSize,
      team: team)
    optimizer = try Optimizer(
      OptimizerSpecification(
        name: .sgd, weightDecay: linear.weightDecay, momentum: linear.momentum),
      parameters: head.parameters, compute: head.compute, arena: head.arena)
    head.initialize(seed: seed, linear.initialization)
  }

  /// The classifier's weight `[classes, D]` and bias `[classes]` with the optimiser's state, where they lie.
  var state: [StoredTensor] {
    head.parameters.map { StoredTensor($0) } + optimizer.state.map { StoredTensor($0) }
  }

  /// Trains for one epoch at `rate`.
  ///
  /// - Parameter proceed: called before each batch; what it throws ends the epoch in the middle.
  /// - Returns: the mean loss over the images, each before the step that it took part in.
  func train(epoch: Int, rate: Double, _ proceed: () throws -> Void) throws -> Double {
    let order = EpochOrder(
      count: labelled.count, batchSize: linear.batchSize, shuffle: true, dropLast: false, seed: seed,
      epoch: epoch)
    var loss = 0.0
    var seen = 0
    for index in 0..<order.batches {
      try proceed()
      let batch = order.batch(index).map { labelled[$0] }[...]
      let result = head.step(features: train.features(batch, epoch: epoch), labels: train.labels(batch))
      optimizer.step(learningRate: rate)
      loss += result.loss * Double(batch.count)
      seen += batch.count
    }
    return loss / Double(max(seen, 1))
  }

  /// What the test images are taken for.
  func test(_ proceed: () throws -> Void) throws -> RankedImages {
    try ranked(testRows, testRows.batches(), epoch: 0, proceed)
  }

  /// What the labelled training images are taken for, as they are seen in that epoch.
  func score(epoch: Int, _ proceed: () throws -> Void) throws -> RankedImages {
    try ranked(train, train.batches(of: labelled), epoch: epoch, proceed)
  }

  private func ranked(
    _ rows: FeatureRows, _ batches: [ArraySlice<Int>], epoch: Int, _ proceed: () throws -> Void
  ) throws -> RankedImages {
    var images = RankedImages()
    for batch in batches {
      try proceed()
      images.add(head.scores(features: rows.features(batch, epoch: epoch)), labels: rows.labels(batch))
    }
    return images
  }
}
