import Recipe
import Tensors

/// A procedural dataset: `synthetic:classes=10,side=32,count=2000,test=400,seed=1`, every part optional.
///
/// A class is an outline with a number of lobes, a filling and, beyond twenty classes, a number of dots
/// around. Place, size, rotation and all colours are random and mean nothing, and there is clutter: single
/// pixels tell little about the class, shapes do.
struct SyntheticImages: DatasetSource {
  /// How the name of such a dataset begins.
  static let format = "synthetic"

  let classCount: Int
  let side: Int
  let trainCount: Int
  let testCount: Int
  let seed: UInt64

  /// The training images that the statistics are taken from, at most.
  private static let statisticsCountMax = 500

  /// `parameters` is what follows the colon of `name`.
  init(name: String, parameters: String) throws(DatasetError) {
    var values: [(key: String, range: ClosedRange<Int>, value: Int?)] = [
      ("classes", 2...1000, 10), ("side", 8...512, 32), ("count", 1...10_000_000, 2000),
      ("test", 1...10_000_000, nil), ("seed", 0...Int.max, 1),
    ]
    for part in parameters.split(separator: ",") {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let index = values.firstIndex(where: { $0.key == pair[0] }) else {
        let known = values.map { $0.key }.joined(separator: ", ")
        throw .wrongParameter(name: name, problem: "\"\(pair[0])\" is none of \(known)")
      }
      let range = values[index].range
      guard pair.count == 2, let value = Int(pair[1]), range.contains(value) else {
        let problem =
          "\"\(part)\": \(pair[0]) must be a number from \(range.lowerBound) to \(range.upperBound)"
        throw .wrongParameter(name: name, problem: problem)
      }
      values[index].value = value
    }
    let chosen = values.map { $0.value }
    classCount = chosen[0] ?? 10
    side = chosen[1] ?? 32
    trainCount = chosen[2] ?? 2000
    testCount = chosen[3] ?? max(trainCount / 5, 1)
    seed = UInt64(chosen[4] ?? 1)
  }

  var candidates: [String] { [] }

  var generator: String? {
    "synthetic:classes=\(classCount),side=\(side),count=\(trainCount),test=\(testCount),seed=\(seed)"
  }

  var knownStatistics: ChannelStatistics? {
    var sums = StatisticsAccumulator(planes: 3)
    for index in 0..<min(trainCount, Self.statisticsCountMax) {
      sums.add(image(.train, index), area: side * side)
    }
    return sums.statistics
  }

  /// What the parameters say.
  func layout() -> DatasetLayout {
    DatasetLayout(
      classes: (0..<classCount).map { SyntheticClass(index: $0).name },
      counts: [.train: trainCount, .test: testCount], side: side, planes: 3)
  }

  /// Draws the images; the classes take turns.
  func read(
    _ split: DatasetSelection.Split, limit: Int, pieceMax: Int, _ take: (LabelledPixels) -> Void
  ) throws(DatasetError) {
    let count = min(split == .train ? trainCount : testCount, limit)
    for start in stride(from: 0, to: count, by: pieceMax) {
      let range = start..<min(start + pieceMax, count)
      take(LabelledPixels(pixels: range.flatMap { image(split, $0) }, labels: range.map { $0 % classCount }))
    }
  }

  /// The classes take turns.
  func labels(_ split: DatasetSelection.Split) -> [Int] {
    (0..<(split == .train ? trainCount : testCount)).map { $0 % classCount }
  }

  /// Draws these images alone.
  func images(_ split: DatasetSelection.Split, at places: [Int]) -> [[UInt8]] {
    places.map { image(split, $0) }
  }

  /// Image `index` of a split, `[3][side][side]`; its class is `index % classCount`.
  private func image(_ split: DatasetSelection.Split, _ index: Int) -> [UInt8] {
    var random = CounterRandom(
      seed: seed, RandomPurpose.synthetic.rawValue, split == .train ? 0 : 1, UInt64(index))
    let scene = SyntheticScene(SyntheticClass(index: index % classCount), &random)
    return scene.render(side: side, &random)
  }
}

/// What tells one class of `SyntheticImages` from another.
struct SyntheticClass: Sendable, Equatable {
  /// How the inside of the outline is painted.
  enum Filling: Int, CaseIterable, Sendable {
    case solid, ring, stripes, checks
  }

  /// Bulges of the outline; 0 is a disc.
  let lobes: Int
  let filling: Filling
  /// Dots around the outline.
  let dots: Int

  private static let lobesChoices = [0, 2, 3, 4, 5]

  /// Neighbouring classes differ in lobes and filling; all twenty pairs come before the first dot.
  init(index: Int) {
    let choices = Self.lobesChoices.count
    let fillings = Filling.allCases
    lobes = Self.lobesChoices[index % choices]
    filling = fillings[(index % choices + index / choices) % fillings.count]
    dots = index / (choices * fillings.count)
  }

  /// For people, such as `3-lobed stripes`.
  var name: String {
    let outline = lobes == 0 ? "round" : "\(lobes)-lobed"
    return "\(outline) \(filling)" + (dots > 0 ? " with \(dots) dots" : "")
  }
}
