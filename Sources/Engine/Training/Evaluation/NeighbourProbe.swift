import Kernels
import NeuralNet
import Platform
import Recipe
import Tensors

/// The protocol `knn`: a weighted vote of the labelled images with the most similar features.
///
/// Similarity is the cosine of the features, as they are or whitened; the k most similar images vote for
/// their class with the weight exp(s / temperature). Of equally similar images the first ones are taken, and
/// of equal votes the class that comes first. The search compares all pairs. A seed decides which labels are
/// used, and nothing else. `train_top1` asks for the labelled images themselves, each without its own vote:
/// at most the first `trainQueriesMax`.
final class NeighbourProbe: Probe {
  /// Labelled images that are asked for at most.
  static let trainQueriesMax = 10_000

  private let subjects: EvaluationSubjects
  private let subject: EvaluationSubject
  private var tables: FeatureTables?

  /// Of that subject.
  init(_ subjects: EvaluationSubjects, _ subject: EvaluationSubject) throws {
    self.subjects = subjects
    self.subject = subject
  }

  func prepare(_ progress: any EvaluationProgress) throws {
    var tables = try FeatureTables(subjects, subject, progress)
    if subjects.specification.knn.metric == .whitened,
      FeatureTables.whitens(subject, featureCount: tables.featureCount)
    {
      try tables.whiten(team: subjects.team, progress.proceed)
    }
    self.tables = tables
  }

  func evaluate(
    run: Int, from place: ProbePlace?, _ progress: any EvaluationProgress
  ) throws -> EvaluationOutcome {
    guard let tables else { preconditionFailure("a probe is prepared first") }
    let labelled = subjects.labelled[run]
    let all = subjects.trainLabels
    let bank = NeighbourSearch.Bank(tables.train, labelled)
    let arena = try Arena()
    let search = try NeighbourSearch(
      featureCount: tables.featureCount, bankCount: labelled.count, k: subjects.specification.knn.k,
      team: subjects.team, arena: arena)
    let vote = NeighbourVote(
      labels: labelled.map { all[$0] }, classes: subjects.train.classes.count,
      temperature: subjects.specification.knn.temperature)
    let queries = min(labelled.count, Self.trainQueriesMax)
    let total = subjects.test.count + queries
    var done = 0
    func count(_ images: Int) throws {
      done += images
      let step = done * EvaluationSteps.neighbours / total
      // The last step has the accuracies.
      if step < EvaluationSteps.neighbours, step > 0 { try progress.report(step: step, epoch: nil, []) }
    }
    var test = RankedImages()
    try search.run(tables.test, Array(0..<subjects.test.count), in: bank, progress.proceed) { row, found in
      test.add(vote.ranking(found, label: subjects.testLabels[row]))
    } counted: {
      try count($0)
    }
    var known = RankedImages()
    try search.run(
      tables.train, Array(labelled[..<queries]), in: bank, excludesOwn: true, progress.proceed
    ) { row, found in
      known.add(vote.ranking(found, label: all[row]))
    } counted: {
      try count($0)
    }
    try progress.report(
      step: EvaluationSteps.neighbours, epoch: nil,
      [Figure("top1", test.top1), Figure("train_top1", known.top1)])
    return EvaluationOutcome(test: test, trainTop1: known.top1)
  }
}

/// How neighbours vote for a class.
struct NeighbourVote {
  /// The class of each row of the bank.
  let labels: [Int]
  let classes: Int
  /// A neighbour of similarity s has the weight exp(s / temperature).
  let temperature: Double

  /// The classes by their votes, as `label` stands among them. Without neighbours all have none.
  func ranking(_ neighbours: [(index: Int, similarity: Float)], label: Int) -> ClassRanking {
    var votes = Array(repeating: 0.0, count: classes)
    // Weights as shares of the greatest one, so that none is too large for a number.
    let most = Double(neighbours.first?.similarity ?? 0)
    for neighbour in neighbours {
      let distance = (Double(neighbour.similarity) - most) / temperature
      votes[labels[neighbour.index]] += Mathematics.exponential(distance)
    }
    return ClassRanking(classes: classes, label: label) { votes[$0] }
  }
}
