import Datasets
import NeuralNet
import Platform
import Tensors

/// Evaluation by logistic regression: how well a linear classifier that is fitted to convergence tells the
/// classes apart by a frozen encoder's standardised features.
///
/// For each subject in turn: its features of all images are computed once; some ridges, from strong to weak,
/// are tried on nine tenths of the training images and compared by the cross-entropy of the tenth that is
/// held back; then the best one is fitted to all. Pixels are those of the stored planes, so that grey images
/// count once. Between two subjects the state is a few numbers: what is interrupted begins its subject again.
final class LogisticEvaluation: Evaluation {
  /// Ridges that are tried, each with the last one's parameters as its start.
  static let ridges = [1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
  /// The largest element of the gradient at the end of a fit that only chooses the ridge: the loss is then
  /// known to three digits, and ridges differ by more.
  private static let choiceTolerance = 1e-4
  /// The ridge where no image can be held back.
  static let ridgeDefault = 1e-3
  /// One of so many training images of each class is held back.
  private static let holdoutShare = 10
  /// Steps of the stream while features are computed.
  private static let featureSteps = 10

  let subjects: EvaluationSubjects
  let stepsTotal: Int
  private(set) var step = 0
  private var subjectIndex = 0
  private var outcomes: [EvaluationSubject: EvaluationOutcome] = [:]
  /// The step whose state is saved already.
  private var savedStep: Int?
  private var meter = ThroughputMeter()

  /// Begins, or goes on from `state`, which belongs to the same specification.
  init(_ subjects: EvaluationSubjects, resumingFrom state: EvaluationState?) throws {
    self.subjects = subjects
    stepsTotal = subjects.all.reduce(0) { $0 + Self.steps(of: $1) }
    if let state {
      guard let index = subjects.all.firstIndex(of: state.subject) else {
        throw CheckpointError.otherSpecification
      }
      subjectIndex = index
      outcomes = state.outcomes
      step = firstStep(of: index)
      savedStep = step
    }
  }

  func run(_ observer: some TrainingObserver) throws -> TrainingOutcome<EvaluationResult> {
    do {
      while subjectIndex < subjects.all.count {
        let subject = subjects.all[subjectIndex]
        outcomes[subject] = try evaluate(subject, observer)
        subjectIndex += 1
        if subjectIndex < subjects.all.count { try save(observer) }
      }
      return .finished(subjects.result(outcomes))
    } catch let stop as EvaluationStop {
      return .stopped(stop.request)
    }
  }

  private static func steps(of subject: EvaluationSubject) -> Int {
    (subject == .rawPixels ? 0 : featureSteps) + ridges.count + 1
  }

  private func firstStep(of index: Int) -> Int {
    subjects.all[..<index].reduce(0) { $0 + Self.steps(of: $1) }
  }

  /// Saves what the subjects before the present one gave, unless that was done.
  private func save(_ observer: some TrainingObserver) throws {
    let first = firstStep(of: subjectIndex)
    guard savedStep != first, first > 0 else { return }
    let state = EvaluationState(
      subject: subjects.all[subjectIndex], epoch: 0, outcomes: outcomes, classifier: [:])
    try observer.save(
      ResumableState(
        step: first, epoch: first,
        file: state.file(
          of: subjects.specification, instructionSet: subjects.instructionSet.rawValue)))
    savedStep = first
  }

  private func evaluate(
    _ subject: EvaluationSubject, _ observer: some TrainingObserver
  ) throws -> EvaluationOutcome {
    let proceed = { [self] in
      guard let request = observer.stopRequest else { return }
      if request != .cancelNow { try save(observer) }
      throw EvaluationStop(request: request)
    }
    try proceed()
    let arena = try Arena()
    let rows = try rows(of: subject, arena: arena, observer, proceed)
    let regression = try LogisticRegression(
      featureCount: rows.train.featureCount, classes: subjects.train.classes.count, rows: rows.train.count,
      team: subjects.team, arena: arena)
    try regression.prepare(rows.train, proceed)
    let choice = try chooseRidge(regression, rows.train, subject, observer, proceed)
    let all = Array(0..<rows.train.count)
    let fit = try regression.fit(rows.train, all, ridge: choice.ridge, from: choice.start, proceed)
    guard fit.objective.isFinite else {
      throw TrainingError.diverged(
        step: step + 1, what: "the loss of the classifier is \(fit.objective)")
    }
    let train = try regression.score(fit.parameters, rows.train, all, proceed)
    let test = try regression.score(fit.parameters, rows.test, Array(0..<rows.test.count), proceed)
    step = firstStep(of: subjectIndex + 1)
    try report(
      subject,
      [
        ("loss", train.loss), ("top1", test.top1), ("train_top1", train.top1), ("ridge", choice.ridge),
        ("iterations", Double(fit.iterations)),
      ], to: observer)
    return EvaluationOutcome(
      top1: test.top1,
      fit: EvaluationResult.Fit(ridge: choice.ridge, trainTop1: train.top1, iterations: fit.iterations))
  }

  /// The features of both splits.
  private func rows(
    of subject: EvaluationSubject, arena: Arena, _ observer: some TrainingObserver,
    _ proceed: () throws -> Void
  ) throws -> (train: StandardizedRows, test: StandardizedRows) {
    let sources: (train: StandardizedRows.Source, test: StandardizedRows.Source)
    var featureCount = subjects.train.planes * subjects.train.side * subjects.train.side
    if subject == .rawPixels {
      sources = (.pixels(subjects.train.pixels), .pixels(subjects.test.pixels))
    } else {
      let source = try subjects.source(of: subject)
      featureCount = source.featureCount
      sources = (
        .table(try features(subjects.train, from: 0, source, subject, observer, proceed)),
        .table(try features(subjects.test, from: subjects.train.count, source, subject, observer, proceed))
      )
    }
    let scaling = try FeatureScaling(
      of: sources.train, count: subjects.train.count, featureCount: featureCount, team: subjects.team,
      arena: arena)
    func rows(_ source: StandardizedRows.Source, _ labels: [Int]) -> StandardizedRows {
      StandardizedRows(source, labels: labels, scaling: scaling, team: subjects.team)
    }
    return (
      rows(sources.train, try subjects.train.requireLabels()),
      rows(sources.test, try subjects.test.requireLabels())
    )
  }

  /// The encoder's features of a split; `images` of the subject's have been done before.
  private func features(
    _ dataset: ImageDataset, from images: Int, _ source: FeatureSource, _ subject: EvaluationSubject,
    _ observer: some TrainingObserver, _ proceed: () throws -> Void
  ) throws -> Floats {
    let rows = try subjects.rows(dataset, .plain, normalizes: true, source)
    let total = subjects.train.count + subjects.test.count
    var done = images
    meter.start()
    try rows.keep(proceed) { count in
      meter.stop(images: count)
      done += count
      let reached = firstStep(of: subjectIndex) + done * Self.featureSteps / total
      if reached > step {
        step = reached
        try report(subject, [("images_per_second", meter.take())], to: observer)
      }
      meter.start()
    }
    guard let table = rows.table else { preconditionFailure("an encoder's features are kept") }
    return table
  }

  /// Tries ridges on most of the training images; the best one, with a start for its fit to all.
  private func chooseRidge(
    _ regression: LogisticRegression, _ rows: StandardizedRows, _ subject: EvaluationSubject,
    _ observer: some TrainingObserver, _ proceed: () throws -> Void
  ) throws -> (ridge: Double, start: [Double]?) {
    let split = Self.split(rows.labels, seed: subjects.specification.seed)
    guard !split.heldBack.isEmpty else { return (Self.ridgeDefault, nil) }
    var best: (ridge: Double, start: [Double]?, loss: Double) = (Self.ridgeDefault, nil, .infinity)
    var start: [Double]?
    let first = firstStep(of: subjectIndex + 1) - 1 - Self.ridges.count
    for (index, ridge) in Self.ridges.enumerated() {
      let fit = try regression.fit(
        rows, split.fitted, ridge: ridge, from: start, tolerance: Self.choiceTolerance, proceed)
      start = fit.parameters
      let score = try regression.score(fit.parameters, rows, split.heldBack, proceed)
      step = first + index + 1
      try report(
        subject,
        [
          ("holdout_loss", score.loss), ("holdout_top1", score.top1), ("ridge", ridge),
          ("iterations", Double(fit.iterations)),
        ], to: observer)
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

  private func report(
    _ subject: EvaluationSubject, _ figures: [(String, Double)], to observer: some TrainingObserver
  ) throws {
    try observer.record(
      StepFigures(
        step: step, epoch: step - 1,
        figures: figures.map { .init($0.0 == "images_per_second" ? $0.0 : subject.figureName($0.0), $0.1) }))
  }
}
