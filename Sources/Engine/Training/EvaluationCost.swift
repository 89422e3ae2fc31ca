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
    let counts = (train: train.limited(limit).count, test: test.limited(limit).count)
    let layer = try specification.encoderLayer(hasFC: training.encoder.fc != nil)
    let side = training.viewSide(storedSide: train.side)
    let encoder = try EncoderInference(
      training.encoder, imageSide: side,
      batchSize: EvaluationSubjects.batchSize, team: ThreadTeam(planning: threads), layer: layer,
      convolutions: training.convolution, arena: .counting())
    let isLogistic = specification.protocol == .logistic
    let isCached = specification.features == .cached
    let image =
      WorkUnits.inference(encoder.layers) + WorkUnits.image(side: side)
      + WorkUnits.pooling(encoder.description, WorkUnits.inferredOutput)
    let passes = Double(isCached ? counts.train : counts.train * specification.epochs) + Double(counts.test)
    let fit = ClassifierWork(
      rows: counts.train, testRows: counts.test, classes: classes, specification: specification)
    var amount = passes * image + fit.amount(features: encoder.featureCount)
    if specification.baselines {
      let planes = isLogistic ? train.planes : 3
      amount += passes * image + fit.amount(features: encoder.featureCount)
      amount += fit.amount(features: planes * train.side * train.side)
      // A linear classifier has its pixels made again in every epoch.
      if !isLogistic {
        amount +=
          Double((counts.train + counts.test) * specification.epochs) * WorkUnits.image(side: train.side)
      }
    }
    let lines = isLogistic ? 64 : specification.epochs * (specification.baselines ? 3 : 1)
    let features = max(encoder.featureCount, 3 * train.side * train.side)
    let state = isLogistic ? 0 : 2 * features * classes * MemoryLayout<Float>.stride
    self.init(
      memoryBytes: try MemoryEstimate.bytes(
        evaluation: specification, of: training, train: train, test: test, classes: classes,
        threads: threads),
      diskBytes: TrainingCost.otherFilesBytes + state + lines * TrainingCost.lineBytes,
      work: Work(
        kind: "evaluate \(specification.protocol.rawValue) \(specification.features.rawValue)",
        amount: amount,
        once: WorkUnits.process + WorkUnits.reading(train.limited(limit))
          + WorkUnits.reading(test.limited(limit)),
        perImage: image),
      epochs: isLogistic ? nil : specification.epochs,
      stepImages: isLogistic ? nil : counts.train)
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
  /// A multiply-add of the preconditioner, which one thread computes in double precision.
  private static let serial = 10.0

  func amount(features: Int) -> Double {
    let (d, k) = (Double(features), Double(classes))
    let row = 2 * d * k + Self.load * d + Self.probability * k
    guard specification.protocol == .logistic else {
      return Double(specification.epochs) * (Double(rows) * (row + d * k) + Double(testRows) * row)
    }
    var amount = Self.passes * (Double(rows) * row)
    if features <= LogisticRegression.preconditionedFeaturesMax {
      // Second moments once, a factor for each ridge, and two triangular solutions for each step.
      amount +=
        Double(rows) * d * d / 2 + Double(LogisticEvaluation.ridges.count + 1) * d * d * d / 3
        + Self.serial * Self.passes * d * d * k
    }
    return amount
  }
}
