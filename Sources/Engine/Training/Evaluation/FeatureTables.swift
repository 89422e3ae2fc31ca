import Datasets
import Kernels
import NeuralNet
import Recipe
import Tensors

/// What a subject says of all images at once: features that are computed once, or the bytes of the stored
/// planes, so that grey images count once.
struct FeatureTables {
  /// Of the training images at the subjects' `positions`.
  let train: StandardizedRows.Source
  /// Of the test images.
  let test: StandardizedRows.Source
  /// Numbers that describe an image, D.
  let featureCount: Int
  /// Who keeps the memory.
  private let rows: [FeatureRows]

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
