import NeuralNet
import Platform
import Recipe
import Tensors

/// The protocol `logistic`: how well a linear classifier that is fitted to convergence tells the classes
/// apart by standardised features.
///
/// A subject's features of all images are computed once. For each run some ridges, from strong to weak, are
/// tried on nine tenths of the labelled images and compared by the cross-entropy of the tenth that is held
/// back; then the best one is fitted to all of them. The seed decides which labels are used and which images
/// are held back. What is interrupted begins its run again.
final class LogisticProbe: Probe {
  /// Ridges that are tried, each with the last one's parameters as its start.
  static let ridges = [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
  /// The largest element of the gradient at the end of a fit that only chooses the ridge: the loss is then
  /// known to three digits, and ridges differ by more.
  private static let choiceTolerance = 1e-4
  /// The ridge where no image can be held back.
  static let ridgeDefault = 1e-3
  /// One of so many labelled images of each class is held back.
  private static let holdoutShare = 10

  private let subjects: EvaluationSubjects
  private let subject: EvaluationSubject
  private var tables: FeatureTables?

  /// Of that subject.
  init(_ subjects: EvaluationSubjects, _ subject: EvaluationSubject) throws {
    self.subjects = subjects
    self.subject = subject
  }

  func prepare(_ progress: any EvaluationProgress) throws {
    tables = try FeatureTables(subjects, subject, progress)
  }

  func evaluate(
    run: Int, from place: ProbePlace?, _ progress: any EvaluationProgress
  ) throws -> EvaluationOutcome {
    guard let tables else { preconditionFailure("a probe is prepared first") }
    let labelled = subjects.labelled[run]
    let arena = try Arena()
    let scaling = try FeatureScaling(
      of: tables.train, labelled, featureCount: tables.featureCount, team: subjects.team, arena: arena)
    let train = StandardizedRows(
      tables.train, labels: subjects.trainLabels, scaling: scaling, team: subjects.team)
    let test = StandardizedRows(
      tables.test, labels: subjects.testLabels, scaling: scaling, team: subjects.team)
    let regression = try LogisticRegression(
      featureCount: tables.featureCount, classes: subjects.train.classes.count, rows: labelled.count,
      team: subjects.team, arena: arena)
    try regression.prepare(train, labelled, progress.proceed)
    let choice = try chooseRidge(
      regression, train, labelled, seed: subjects.seed(run: run), progress)
    let fit = try regression.fit(train, labelled, ridge: choice.ridge, from: choice.start, progress.proceed)
    guard fit.objective.isFinite else {
      throw TrainingError.diverged(step: 0, what: "the loss of the classifier is \(fit.objective)")
    }
    let known = try regression.score(fit.parameters, train, labelled, progress.proceed)
    let found = try regression.score(fit.parameters, test, Array(0..<test.count), progress.proceed)
    try progress.report(
      step: Self.ridges.count + 1, epoch: nil,
      [
        Figure("loss", known.loss), Figure("top1", found.images.top1),
        Figure("train_top1", known.images.top1), Figure("ridge", choice.ridge),
        Figure("iterations", Double(fit.iterations)),
      ])
    return EvaluationOutcome(
      test: found.images, trainTop1: known.images.top1,
      fit: EvaluationResult.Fit(ridge: choice.ridge, iterations: fit.iterations))
  }

  /// Tries ridges on most of the labelled images; the best one, with a start for its fit to all.
  private func chooseRidge(
    _ regression: LogisticRegression, _ rows: StandardizedRows, _ labelled: [Int], seed: UInt64,
    _ progress: any EvaluationProgress
  ) throws -> (ridge: Double, start: [Double]?) {
    let split = Self.split(labelled.map { rows.labels[$0] }, seed: seed)
    guard !split.heldBack.isEmpty else { return (Self.ridgeDefault, nil) }
    let fitted = split.fitted.map { labelled[$0] }
    let heldBack = split.heldBack.map { labelled[$0] }
    var best: (ridge: Double, start: [Double]?, loss: Double) = (Self.ridgeDefault, nil, .infinity)
    var start: [Double]?
    for (index, ridge) in Self.ridges.enumerated() {
      let fit = try regression.fit(
        rows, fitted, ridge: ridge, from: start, tolerance: Self.choiceTolerance, progress.proceed)
      start = fit.parameters
      let score = try regression.score(fit.parameters, rows, heldBack, progress.proceed)
      try progress.report(
        step: index + 1, epoch: nil,
        [
          Figure("holdout_loss", score.loss), Figure("holdout_top1", score.images.top1),
          Figure("ridge", ridge), Figure("iterations", Double(fit.iterations)),
        ])
      // The loss falls and then rises along the way: what follows a worse ridge is worse still.
      guard score.loss < best.loss else { break }
      best = (ridge, fit.parameters, score.loss)
    }
    return (best.ridge, best.start)
  }

  /// Positions to fit to and positions held back: a tenth of each class, at least one of those with two.
  static func split(_ labels: [Int], seed: UInt64) -> (fitted: [Int], heldBack: [Int]) {
    var classes: [Int: [Int]] = [:]
    for (position, label) in labels.enumerated() { classes[label, default: []].append(position) }
    var heldBack: Set<Int> = []
    for (label, positions) in classes where positions.count >= 2 {
      // "hold" in ASCII: this purpose's own stream of random numbers.
      var random = CounterRandom(seed: seed, 0x686f_6c64, UInt64(label))
      let order = random.permutation(positions.count)
      for index in order.prefix(max(1, positions.count / holdoutShare)) { heldBack.insert(positions[index]) }
    }
    return (labels.indices.filter { !heldBack.contains($0) }, heldBack.sorted())
  }
}
