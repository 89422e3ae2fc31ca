import Foundation
import Parallel
import TensorElements
import Tensors
import Testing

@testable import Training

/// What scikit-learn predicts (`Golden/make_neighbours.py`).
private struct NeighbourGolden: Decodable {
  struct Run: Decodable, CustomTestStringConvertible {
    let k: Int
    let temperature: Double
    let predictions: [Int]
    let top1: Double
    let top5: Double

    var testDescription: String { "k \(k), temperature \(temperature)" }
  }

  /// Features that depend on each other, once they have been whitened.
  struct Whitened: Decodable {
    let mixing: [Double]
    let shrinkage: Double
    let k: Int
    let temperature: Double
    /// The first test row.
    let rows: [Double]
    let predictions: [Int]
  }

  let classes: Int
  let features: Int
  let train: Int
  let labels: [Int]
  let rows: [Float]
  let runs: [Run]
  let whitened: Whitened
  let nearest: [[Int]]

  static let file = Result {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden")
    return try JSONDecoder().decode(
      NeighbourGolden.self, from: Data(contentsOf: folder.appending(path: "neighbours.json")))
  }

  static var allRuns: [Run] { (try? file.get().runs) ?? [] }
}

@Suite("Nearest neighbours")
struct NeighbourTests {
  /// The neighbours of all test rows.
  private func neighbours(k: Int, threads: Int = 2) throws -> [[(index: Int, similarity: Float)]] {
    let golden = try NeighbourGolden.file.get()
    let arena = try Arena()
    let table = try arena.allocate(golden.rows.count)
    table.copy(from: golden.rows)
    let search = try NeighbourSearch(
      featureCount: golden.features, bankCount: golden.train, k: k, team: ThreadTeam(threads: threads),
      arena: arena)
    var found: [[(index: Int, similarity: Float)]] = []
    let bank = NeighbourSearch.Bank(.table(table), Array(0..<golden.train))
    try search.run(.table(table), Array(golden.train..<golden.labels.count), in: bank) {
    } found: {
      found.append($1)
    } counted: { _ in
    }
    return found
  }

  @Test(arguments: NeighbourGolden.allRuns)
  fileprivate func `predict what scikit-learn predicts`(expected: NeighbourGolden.Run) throws {
    let golden = try NeighbourGolden.file.get()
    let vote = NeighbourVote(
      labels: Array(golden.labels[..<golden.train]), classes: golden.classes,
      temperature: expected.temperature)
    var images = RankedImages()
    for (row, found) in try neighbours(k: expected.k).enumerated() {
      images.add(vote.ranking(found, label: golden.labels[golden.train + row]))
    }
    #expect(images.predictions == expected.predictions)
    #expect(images.top1 == expected.top1)
    #expect(abs(images.top5 - expected.top5) < 1e-12)
  }

  @Test func `are scikit-learn's in its order`() throws {
    #expect(NeighbourGolden.allRuns.count == 5)
    let found = try neighbours(k: 5)
    #expect(try found.map { $0.map(\.index) } == NeighbourGolden.file.get().nearest)
  }

  @Test func `have the same bits with one, two and three threads`() throws {
    let all = try [1, 2, 3].map { threads in
      try neighbours(k: 20, threads: threads).map { $0.map { "\($0.index) \($0.similarity)" } }
    }
    #expect(all[0] == all[1] && all[0] == all[2])
  }

  /// The golden features mixed, whitened by the training rows, `[rows][features]`, and how much was shrunk.
  private func whitened(threads: Int, inPlace: Bool) throws -> (rows: [Float], shrinkage: Double) {
    let golden = try NeighbourGolden.file.get()
    let (count, width) = (golden.labels.count, golden.features)
    let arena = try Arena()
    let table = try arena.allocate(count * width)
    table.copy(
      from: (0..<count * width).map { index in
        Float(
          (0..<width).reduce(0.0) {
            $0 + Double(golden.rows[index / width * width + $1])
              * golden.whitened.mixing[$1 * width + index % width]
          })
      })
    let team = try ThreadTeam(threads: threads)
    let scaling = try FeatureScaling(
      of: .table(table), Array(0..<golden.train), featureCount: width, team: team, arena: arena)
    func rows(_ first: Int, _ count: Int) -> StandardizedRows {
      StandardizedRows(
        .table(table.slice(first * width, count * width)), labels: Array(repeating: 0, count: count),
        scaling: scaling, team: team)
    }
    let whitening = try FeatureWhitening(
      featureCount: width, rows: golden.train, team: team, arena: arena)
    let shrinkage = try whitening.measure(rows(0, golden.train))
    let result = inPlace ? table : try arena.allocate(count * width)
    try whitening.apply(rows(0, count), into: result)
    return (result.array, shrinkage)
  }

  @Test func `of whitened features are those of scikit-learn`() throws {
    let golden = try NeighbourGolden.file.get()
    let (rows, shrinkage) = try whitened(threads: 2, inPlace: true)
    #expect(abs(shrinkage - golden.whitened.shrinkage) < 1e-5 * golden.whitened.shrinkage)
    let first = rows[(golden.train * golden.features)...].prefix(golden.features)
    let distances = zip(first, golden.whitened.rows).map { abs(Double($0) - $1) }
    #expect(distances.count == golden.features && distances.max() ?? 1 < 2e-4)
    let arena = try Arena()
    let table = try arena.allocate(rows.count)
    table.copy(from: rows)
    let search = try NeighbourSearch(
      featureCount: golden.features, bankCount: golden.train, k: golden.whitened.k,
      team: try ThreadTeam(threads: 1), arena: arena)
    let vote = NeighbourVote(
      labels: Array(golden.labels[..<golden.train]), classes: golden.classes,
      temperature: golden.whitened.temperature)
    var predictions: [Int] = []
    try search.run(
      .table(table), Array(golden.train..<golden.labels.count),
      in: NeighbourSearch.Bank(.table(table), Array(0..<golden.train))
    ) {
    } found: {
      predictions.append(vote.ranking($1, label: golden.labels[$0]).predicted)
    } counted: { _ in
    }
    #expect(predictions == golden.whitened.predictions)
    // As many threads as there are, in place or not: the same bits.
    #expect(try rows == whitened(threads: 1, inPlace: false).rows)
    #expect(try rows == whitened(threads: 3, inPlace: true).rows)
  }

  @Test func `of rows that are all the same are whitened without a fault`() throws {
    let arena = try Arena()
    let table = try arena.allocate(12)
    table.copy(from: Array(repeating: 3, count: 12))
    let team = try ThreadTeam(threads: 1)
    let scaling = try FeatureScaling(of: .table(table), [0, 1, 2], featureCount: 4, team: team, arena: arena)
    let rows = StandardizedRows(.table(table), labels: [0, 0, 0], scaling: scaling, team: team)
    let whitening = try FeatureWhitening(featureCount: 4, rows: 3, team: team, arena: arena)
    try whitening.measure(rows)
    try whitening.apply(rows, into: table)
    #expect(table.array == Array(repeating: 0, count: 12))
  }

  @Test func `a temperature near 0 leaves the nearest one`() {
    let vote = NeighbourVote(labels: [2, 1, 1], classes: 3, temperature: 1e-9)
    #expect(vote.ranking([(0, 0.9), (1, 0.8), (2, 0.8)], label: 1).predicted == 2)
    #expect(vote.ranking([], label: 1).predicted == 0)
    let even = NeighbourVote(labels: [2, 1], classes: 3, temperature: 1)
    // Of equal votes the first class.
    #expect(even.ranking([(0, 0.5), (1, 0.5)], label: 2).predicted == 1)
    #expect(even.ranking([(0, 0.5), (1, 0.5)], label: 2).rank == 1)
  }
}

@Suite("Subsets of labels")
struct LabelSubsetTests {
  @Test func `have equally many of each class, as far as there are so many`() {
    #expect(LabelSubset.quotas(10, sizes: [100, 100]) == [5, 5])
    #expect(LabelSubset.quotas(11, sizes: [100, 100]) == [6, 5])
    #expect(LabelSubset.quotas(90, sizes: [10, 100, 100]) == [10, 40, 40])
    #expect(LabelSubset.quotas(1000, sizes: [3, 0, 5]) == [3, 0, 5])
  }

  @Test func `follow from the seed, and a smaller one is a part of a larger one`() {
    let labels = (0..<400).map { $0 % 4 }
    let small = LabelSubset.positions(8, of: labels, classes: 4, seed: 1)
    let large = LabelSubset.positions(40, of: labels, classes: 4, seed: 1)
    #expect(small == small.sorted() && Set(small).isSubset(of: large))
    #expect(small != LabelSubset.positions(8, of: labels, classes: 4, seed: 2))
    #expect((0..<4).allSatisfy { label in large.count { labels[$0] == label } == 10 })
    #expect(LabelSubset.positions(400, of: labels, classes: 4, seed: 1) == Array(0..<400))
  }
}

@Suite("Intervals")
struct IntervalTests {
  @Test func `of a share are Wilson's`() {
    // statsmodels' proportion_confint(871, 1000, method="wilson").
    let interval = Interval.wilson(share: 0.871, count: 1000)
    #expect(abs(interval.low - 0.848796) < 1e-6 && abs(interval.high - 0.890365) < 1e-6)
    #expect(Interval.wilson(share: 1, count: 10).high > 0.999_999)
    #expect(Interval.wilson(share: 0, count: 10).low == 0)
  }

  @Test(arguments: [(1, 12.706205), (4, 2.776445), (11, 2.200985), (29, 2.045230), (99, 1.984217)])
  func `of a mean are Student's`(freedom: Int, quantile: Double) {
    #expect(abs(Interval.studentQuantile(freedom) - quantile) < 2e-4)
  }

  @Test func `of a difference are taken image by image`() {
    let labels = Array(repeating: 1, count: 100)
    // The first is right on 90 images, the second on 80 of these.
    let first = (0..<100).map { $0 < 90 ? 1 : 0 }
    let second = (0..<100).map { $0 < 80 ? 1 : 0 }
    let lead = PairedDifference([first], over: [second], labels: labels)
    #expect(abs(lead.mean - 0.1) < 1e-12)
    // √((0.1 − 0.01) / 99) · 1.96
    #expect(abs(lead.interval.low - (0.1 - 1.959964 * (0.09 / 99).squareRoot())) < 1e-6)
    #expect(lead.isBeyond)
    #expect(!PairedDifference([first], over: [first], labels: labels).isBeyond)
    let unsteady = PairedDifference([first, second], over: [second, second], labels: labels)
    #expect(!unsteady.isBeyond)
  }
}
