import TensorElements
import Tensors

/// What a classifier makes of one image: the class with the highest score, and the place of the right one.
/// Of equal scores the first class comes first.
struct ClassRanking {
  /// The class with the highest score.
  let predicted: Int
  /// How many classes come before the right one.
  let rank: Int

  /// A ranking that is known.
  init(predicted: Int, rank: Int) {
    self.predicted = predicted
    self.rank = rank
  }

  /// Ranks the classes by `score`, a function of the class.
  init(classes: Int, label: Int, score: (Int) -> Double) {
    var best = 0
    var highest = score(0)
    let own = score(label)
    var rank = 0
    for c in 0..<classes {
      let value = score(c)
      if value > highest { (best, highest) = (c, value) }
      if value > own || (value == own && c < label) { rank += 1 }
    }
    predicted = best
    self.rank = rank
  }
}

/// Rankings of many images, in their order.
struct RankedImages: Sendable, Equatable {
  /// The class with the highest score of each image.
  private(set) var predictions: [Int] = []
  /// Images whose highest score is that of their class.
  private(set) var firstHits = 0
  /// Images whose class is among the five with the highest scores.
  private(set) var topHits = 0

  /// Classes among which the right one must be for `top5`.
  static let top = 5

  /// No images.
  init() {}

  /// Images that were ranked before.
  init(predictions: [Int], firstHits: Int, topHits: Int) {
    self.predictions = predictions
    self.firstHits = firstHits
    self.topHits = topHits
  }

  /// Share of the images whose highest score is that of their class; 0 without images.
  var top1: Double { Double(firstHits) / Double(max(predictions.count, 1)) }
  /// Share of the images whose class is among the five with the highest scores; 0 without images.
  var top5: Double { Double(topHits) / Double(max(predictions.count, 1)) }

  /// Adds the next image.
  mutating func add(_ ranking: ClassRanking) {
    predictions.append(ranking.predicted)
    if ranking.rank == 0 { firstHits += 1 }
    if ranking.rank < Self.top { topHits += 1 }
  }

  /// Adds images by their scores, row-major `[labels.count][classes]`.
  mutating func add(_ scores: Floats, labels: [Int]) {
    let classes = scores.count / max(labels.count, 1)
    for (row, label) in labels.enumerated() {
      add(ClassRanking(classes: classes, label: label) { Double(scores[row * classes + $0]) })
    }
  }
}
