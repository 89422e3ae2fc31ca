import Datasets
import Kernels
import NeuralNet
import Parallel
import Recipe
import Tensors

/// What a subject says of all images at once: features that are computed once, or the bytes of the stored
/// planes, so that grey images count once.
struct FeatureTables {
  /// Of the training images at the subjects' `positions`.
  private(set) var train: StandardizedRows.Source
  /// Of the test images.
  private(set) var test: StandardizedRows.Source
  /// Numbers that describe an image, D.
  let featureCount: Int
  /// Who keeps the memory.
  private let rows: [FeatureRows]
  private var whitened: Arena?

  /// Takes a subject's; the features of an encoder are reported in `EvaluationSteps.features` steps.
  ///
  /// - Throws: `TrainingError.featuresNotFinite`.
  init(
    _ subjects: EvaluationSubjects, _ subject: EvaluationSubject, _ progress: any EvaluationProgress
  ) throws {
    if subject == .rawPixels {
      train = .pixels(Self.pixels(subjects.train, subjects.positions))
      test = .pixels(subjects.test.pixels)
      featureCount = subjects.train.planes * subjects.train.side * subjects.train.side
      rows = []
      return
    }
    let source = try subjects.source(of: subject)
    let mirror = subjects.specification.mirror
    featureCount = source.featureCount
    rows = [
      try subjects.rows(subjects.train, subjects.positions, .plain, mirror: mirror, source),
      try subjects.rows(subjects.test, subjects.testPositions, .plain, mirror: mirror, source),
    ]
    let total = rows.reduce(0) { $0 + $1.count }
    var (done, reported) = (0, 0)
    var meter = ThroughputMeter()
    let compute = Compute(team: subjects.team)
    var tables: [Floats] = []
    for rows in rows {
      meter.start()
      try rows.keep(progress.proceed) { count in
        meter.stop(images: count)
        done += count
        let step = done * EvaluationSteps.features / total
        if step > reported {
          reported = step
          try progress.report(step: step, epoch: nil, [Figure("images_per_second", meter.take())])
        }
        meter.start()
      }
      guard let table = rows.table else { preconditionFailure("an encoder's features are kept") }
      guard compute.finiteness(of: table).notFinite == 0 else {
        throw TrainingError.featuresNotFinite
      }
      tables.append(table)
    }
    (train, test) = (.table(tables[0]), .table(tables[1]))
  }

  /// Numbers of raw pixels up to which they are whitened: a matrix of more would take too much memory and
  /// time.
  static let whitenedPixelsMax = 4096

  /// Whether features of a subject are whitened.
  static func whitens(_ subject: EvaluationSubject, featureCount: Int) -> Bool {
    subject != .rawPixels || featureCount <= whitenedPixelsMax
  }

  /// Whitens all features by those of the training images (`FeatureWhitening`): those of an encoder where
  /// they are, pixels in a table of their own.
  mutating func whiten(team: ThreadTeam, _ proceed: () throws -> Void) throws {
    let (scratch, kept) = (try Arena(), try Arena())
    func labels(_ source: StandardizedRows.Source) -> [Int] {
      switch source {
      case .table(let table): Array(repeating: 0, count: table.count / featureCount)
      case .pixels(let bytes): Array(repeating: 0, count: bytes.count / featureCount)
      }
    }
    let known = labels(train)
    let scaling = try FeatureScaling(
      of: train, Array(known.indices), featureCount: featureCount, team: team, arena: scratch)
    let whitening = try FeatureWhitening(
      featureCount: featureCount, rows: known.count, team: team, arena: scratch)
    let rows = [train, test].map {
      StandardizedRows($0, labels: labels($0), scaling: scaling, team: team)
    }
    try whitening.measure(rows[0], proceed)
    let tables = try zip([train, test], rows).map { source, rows in
      let table =
        if case .table(let table) = source { table } else {
          try kept.allocate(rows.count * featureCount)
        }
      try whitening.apply(rows, into: table, proceed)
      return table
    }
    (train, test, whitened) = (.table(tables[0]), .table(tables[1]), kept)
  }

  /// The bytes of the images at `positions`.
  private static func pixels(_ dataset: ImageDataset, _ positions: [Int]) -> [UInt8] {
    if positions.count == dataset.count { return dataset.pixels }
    let size = dataset.planes * dataset.side * dataset.side
    var pixels: [UInt8] = []
    pixels.reserveCapacity(positions.count * size)
    for position in positions { pixels += dataset.pixels[position * size..<(position + 1) * size] }
    return pixels
  }
}
