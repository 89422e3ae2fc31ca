import Kernels
import NeuralNet
import Parallel
import Recipe
import Tensors

extension JobCost {
  /// What an evaluation takes.
  ///
  /// - Parameters:
  ///   - training: what the evaluated checkpoint was trained by.
  ///   - classes: of the dataset.
  /// - Throws: as `MemoryEstimate.bytes(evaluation:…)`.
  package init(
    evaluation specification: EvaluateSpecification, of training: TrainSpecification,
    train: MemoryEstimate.Images, test: MemoryEstimate.Images, classes: Int, threads: Int
  ) throws {
    let limit = specification.dataset.limit
    let stored = train.limited(limit).count
    let counts = (train: specification.usedCount(of: stored), test: test.limited(limit).count)
    let layer = try specification.encoderLayer(of: training)
    let side = training.viewSide(storedSide: train.side)
    let encoder = try EncoderInference(
      training.encoder, projector: training.projector, imageSide: side,
      batchSize: EvaluationSubjects.batchSize, team: ThreadTeam(planning: threads), layer: layer,
      convolutions: training.convolution, arena: .counting())
    let (choice, runs) = (specification.protocol, Double(specification.runs))
    let isCached = specification.features == .cached
    let image =
      (WorkUnits.inference(encoder.layers) + WorkUnits.image(side: side)
        + WorkUnits.pooling(encoder.description, WorkUnits.inferredOutput))
      * (specification.mirror ? 2 : 1)
    let labelled = specification.labelledCount(of: stored)
    let testPasses = choice == .finetune ? runs * Double(counts.test + labelled) : Double(counts.test)
    let passes =
      Double(isCached && choice != .finetune ? counts.train : 0) + testPasses
      + (isCached ? 0 : runs * Double(labelled * specification.epochs))
    let fit = ClassifierWork(
      rows: labelled, testRows: counts.test, classes: classes, specification: specification)
    var tuning = 0.0
    var stateFloats = 4 * max(encoder.featureCount, 3 * train.side * train.side) * classes
    if choice == .finetune {
      let network = try FineTuning(
        specification, of: training, layer: layer, imageSide: side, labels: labelled, classes: classes,
        team: ThreadTeam(planning: threads), arena: .counting())
      let steps = Double((labelled + network.model.batchSize - 1) / network.model.batchSize)
      let parameters = network.model.parameters.reduce(0) { $0 + Double($1.value.count) }
      tuning =
        runs * Double(specification.epochs)
        * (Double(labelled) * (try WorkUnits.image(of: network.model))
          + steps * WorkUnits.update * parameters)
      stateFloats = max(stateFloats, 2 * network.state.reduce(0) { $0 + $1.value.count })
    }
    var amount = passes * image + tuning + runs * fit.amount(features: encoder.featureCount)
    if specification.baselines {
      let planes = choice.hasEpochs ? 3 : train.planes
      amount += passes * image + tuning + runs * fit.amount(features: encoder.featureCount)
      amount += runs * fit.amount(features: planes * train.side * train.side)
      // A linear classifier has its pixels made again in every epoch.
      if choice.hasEpochs {
        amount +=
          runs * Double((labelled + counts.test) * specification.epochs) * WorkUnits.image(side: train.side)
      }
    }
    let subjects = specification.baselines ? 3 : 1
    let lines = specification.runs * (choice.hasEpochs ? specification.epochs * subjects : 64)
    let state = choice.hasEpochs ? stateFloats * MemoryLayout<Float>.stride : 0
    let predictions = subjects * specification.runs * counts.test * 2 * MemoryLayout<Int64>.stride
    self.init(
      memoryBytes: try MemoryEstimate.bytes(
        evaluation: specification, of: training, train: train, test: test, classes: classes,
        threads: threads),
      diskBytes: TrainingCost.otherFilesBytes + state + predictions + lines * TrainingCost.lineBytes,
      work: Work(
        kind: "evaluate \(choice.rawValue) \(specification.features.rawValue)",
        amount: amount,
        once: WorkUnits.process + WorkUnits.reading(train.limited(limit))
          + WorkUnits.reading(test.limited(limit)),
        perImage: image),
      epochs: choice.hasEpochs ? specification.epochs : nil,
      stepImages: choice.hasEpochs ? labelled : nil)
  }
}

/// What it costs to fit a classifier to features that are there.
private struct ClassifierWork {
  let rows: Int
  let testRows: Int
  let classes: Int
  let specification: EvaluateSpecification

  /// Passes over all rows until a logistic regression has chosen its ridge and converged; measured between
  /// 160 and 380.
  private static let passes = 300.0
  /// A feature that is loaded, and standardised or gathered.
  private static let load = 400.0
  /// A class's exponential and what comes with it.
  private static let probability = 11_000.0
  /// A similarity that is compared with the nearest so far.
  private static let comparison = 60.0
  /// A multiply-add of the preconditioner, which one thread computes in double precision.
  private static let serial = 10.0

  func amount(features: Int) -> Double {
    let (d, k) = (Double(features), Double(classes))
    if specification.protocol == .knn {
      let queries = Double(testRows + min(rows, NeighbourProbe.trainQueriesMax))
      let search = queries * Double(rows) * (d + Self.comparison) + 2 * queries * Self.load * d
      guard specification.knn.metric == .whitened else { return search }
      // Moments and map, and a factor with its inverse in double precision.
      return search + Double(2 * rows + testRows) * d * (d + Self.load) + d * d * d
    }
    let row = 2 * d * k + Self.load * d + Self.probability * k
    guard specification.protocol == .logistic else {
      return Double(specification.epochs) * (Double(rows) * (row + d * k) + Double(testRows) * row)
    }
    var amount = Self.passes * (Double(rows) * row)
    if features <= LogisticRegression.preconditionedFeaturesMax {
      // Second moments once, a factor for each ridge, and two triangular solutions for each step.
      amount +=
        Double(rows) * d * d / 2 + Double(LogisticProbe.ridges.count + 1) * d * d * d / 3
        + Self.serial * Self.passes * d * d * k
    }
    return amount
  }
}
