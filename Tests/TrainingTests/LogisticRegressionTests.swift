import Foundation
import Parallel
import Tensors
import Testing

@testable import Training

/// What scikit-learn finds (`Golden/make_logistic.py`).
private struct LogisticGolden: Decodable {
  struct Fit: Decodable, CustomTestStringConvertible {
    let ridge: Double
    let train_loss: Double
    let objective: Double
    let test_loss: Double
    let train_top1: Double
    let test_top1: Double

    var testDescription: String { "ridge \(ridge)" }
  }

  let classes: Int
  let features: Int
  let train: Int
  let labels: [Int]
  let rows: [Float]
  let fits: [Fit]

  static let file = Result {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden")
    return try JSONDecoder().decode(
      LogisticGolden.self, from: Data(contentsOf: folder.appending(path: "logistic.json")))
  }

  static var allFits: [Fit] { (try? file.get().fits) ?? [] }
}

@Suite("Logistic regression")
struct LogisticRegressionTests {
  private struct Problem {
    let train: StandardizedRows
    let test: StandardizedRows
    let regression: LogisticRegression
  }

  private func problem(threads: Int) throws -> Problem {
    let golden = try LogisticGolden.file.get()
    let team = try ThreadTeam(threads: threads)
    let arena = try Arena()
    func table(_ range: Range<Int>) throws -> StandardizedRows.Source {
      let elements = Array(
        golden.rows[range.lowerBound * golden.features..<range.upperBound * golden.features])
      let floats = try arena.allocate(elements.count)
      floats.copy(from: elements)
      return .table(floats)
    }
    let count = golden.labels.count
    let train = try table(0..<golden.train)
    let scaling = try FeatureScaling(
      of: train, Array(0..<golden.train), featureCount: golden.features, team: team, arena: arena)
    let regression = try LogisticRegression(
      featureCount: golden.features, classes: golden.classes, rows: golden.train, team: team, arena: arena)
    let rows = StandardizedRows(
      train, labels: Array(golden.labels[..<golden.train]), scaling: scaling, team: team)
    try regression.prepare(rows, Array(0..<rows.count)) {}
    return Problem(
      train: rows,
      test: StandardizedRows(
        try table(golden.train..<count), labels: Array(golden.labels[golden.train...]), scaling: scaling,
        team: team),
      regression: regression)
  }

  @Test(arguments: LogisticGolden.allFits)
  fileprivate func `agrees with scikit-learn`(expected: LogisticGolden.Fit) throws {
    let problem = try problem(threads: 2)
    let all = Array(0..<problem.train.count)
    let fit = try problem.regression.fit(problem.train, all, ridge: expected.ridge)
    let train = try problem.regression.score(fit.parameters, problem.train, all)
    let test = try problem.regression.score(fit.parameters, problem.test, Array(0..<problem.test.count))
    #expect(abs(fit.objective - expected.objective) < 1e-5 * expected.objective)
    #expect(abs(train.loss - expected.train_loss) < 1e-4 * expected.train_loss)
    #expect(abs(test.loss - expected.test_loss) < 2e-4 * expected.test_loss)
    #expect(train.images.top1 == expected.train_top1)
    #expect(test.images.top1 == expected.test_top1)
    #expect(fit.iterations < 60)
  }

  @Test func `there are golden fits`() { #expect(LogisticGolden.allFits.count == 4) }

  @Test func `gives the same bits with one, two and three threads`() throws {
    let fits = try [1, 2, 3].map { threads in
      let problem = try problem(threads: threads)
      return try problem.regression.fit(problem.train, Array(0..<problem.train.count), ridge: 1e-4)
    }
    #expect(fits[0].parameters == fits[1].parameters)
    #expect(fits[0].parameters == fits[2].parameters)
  }

  @Test func `another start leads to the same end`() throws {
    let problem = try problem(threads: 1)
    let all = Array(0..<problem.train.count)
    let fit = try problem.regression.fit(problem.train, all, ridge: 1e-3)
    let start = fit.parameters.indices.map { Double($0 % 7) - 3 }
    let other = try problem.regression.fit(problem.train, all, ridge: 1e-3, from: start)
    #expect(abs(fit.objective - other.objective) < 1e-6)
    let again = try problem.regression.fit(problem.train, all, ridge: 1e-3, from: fit.parameters)
    #expect(again.iterations == 0)
  }

  @Test func `converges without a preconditioner, as for very many features`() throws {
    let problem = try problem(threads: 1)
    let all = Array(0..<problem.train.count)
    let expected = try problem.regression.fit(problem.train, all, ridge: 1e-2)
    let search = QuasiNewton(gradientTolerance: 1e-6, iterationsMax: 1_000) { _ in }
    // A quadratic bowl, far steeper in one direction than in the other.
    let bowl = search.minimize(from: [5, -3]) { x in
      (500 * x[0] * x[0] + 0.5 * (x[1] - 1) * (x[1] - 1), [1_000 * x[0], x[1] - 1])
    }
    #expect(abs(bowl.point.x[0]) < 1e-8)
    #expect(abs(bowl.point.x[1] - 1) < 1e-5)
    #expect(expected.iterations > 0)
  }

  @Test func `pixels are standardised exactly, and constant ones become 0`() throws {
    let team = try ThreadTeam(threads: 1)
    let arena = try Arena()
    // Two pixels: 0, 10, 20 and 7, 7, 7.
    let source = StandardizedRows.Source.pixels([0, 7, 10, 7, 20, 7])
    let scaling = try FeatureScaling(of: source, [0, 1, 2], featureCount: 2, team: team, arena: arena)
    let rows = StandardizedRows(source, labels: [0, 1, 0], scaling: scaling, team: team)
    let target = try arena.allocate(4)
    rows.load([2, 0], into: target)
    let expected = Float(1.5.squareRoot())
    #expect(abs(target[0] - expected) < 1e-6)
    #expect(target[1] == 0)
    #expect(target[2] == -target[0])
    #expect(target[3] == 0)
  }

  @Test func `a tenth of each class is held back, chosen by the seed`() {
    let labels = (0..<300).map { $0 < 200 ? 0 : ($0 < 285 ? 1 : ($0 < 299 ? 2 : 3)) }
    let split = LogisticProbe.split(labels, seed: 4)
    #expect((split.fitted + split.heldBack).sorted() == Array(0..<300))
    let counts = (0..<4).map { label in split.heldBack.filter { labels[$0] == label }.count }
    #expect(counts == [20, 8, 1, 0])
    #expect(LogisticProbe.split(labels, seed: 4).heldBack == split.heldBack)
    #expect(LogisticProbe.split(labels, seed: 5).heldBack != split.heldBack)
  }
}
