import Datasets
import Kernels
import Parallel
import TensorElements
import Tensors

/// Batches of features of some images of a split, as a classifier takes them; row r is that of the image at
/// `positions[r]`.
///
/// An encoder's features of images that never change are computed once and kept; pixels are cheaper to make
/// again.
final class FeatureRows {
  /// Number of images.
  var count: Int { positions.count }
  /// Numbers that describe an image, D.
  var featureCount: Int { source.featureCount }

  /// One for each view whose features are averaged.
  private let loaders: [BatchLoader]
  private let positions: [Int]
  private let source: FeatureSource
  private let batchSize: Int
  private let compute: Compute
  /// `[count][D]`, where kept.
  private(set) var table: Floats?
  /// Where rows of the table are put side by side, `[batchSize][D]`.
  private let gathered: Floats
  private let arena: Arena

  /// Rows of what `loaders` make, in batches of at most `batchSize`. Throws `SystemError` without memory.
  init(
    loaders: [BatchLoader], positions: [Int], source: FeatureSource, batchSize: Int, team: ThreadTeam
  ) throws {
    self.loaders = loaders
    self.positions = positions
    self.source = source
    self.batchSize = batchSize
    compute = Compute(team: team)
    arena = try Arena()
    gathered = try arena.allocate(batchSize * source.featureCount)
  }

  /// Computes all features once, if that saves work; the views must not depend on the epoch.
  ///
  /// - Parameters:
  ///   - proceed: called before each batch; what it throws ends the computation.
  ///   - done: called after each batch with the number of its images.
  func keep(_ proceed: () throws -> Void, done: (_ images: Int) throws -> Void = { _ in }) throws {
    guard case .encoder = source else { return }
    let table = try arena.allocate(count * featureCount)
    for batch in batches() {
      try proceed()
      let rows = table.slice(batch.startIndex * featureCount, batch.count * featureCount)
      for (index, loader) in loaders.enumerated() {
        let features = compute(batch, by: loader, epoch: 0)
        if index == 0 { compute.copy(features, to: rows) } else { compute.add(features, to: rows) }
      }
      if loaders.count > 1 { compute.scale(rows, by: 1 / Float(loaders.count)) }
      try done(batch.count)
    }
    self.table = table
  }

  /// All rows in their order, batch by batch.
  func batches() -> [ArraySlice<Int>] { batches(of: Array(0..<count)) }

  /// Those rows, batch by batch.
  func batches(of rows: [Int]) -> [ArraySlice<Int>] {
    stride(from: 0, to: rows.count, by: batchSize).map { rows[$0..<min($0 + batchSize, rows.count)] }
  }

  /// Features of those rows, row-major `[n][D]`; valid until the next call.
  func features(_ rows: ArraySlice<Int>, epoch: Int) -> Floats {
    guard let table else { return compute(rows, by: loaders[0], epoch: epoch) }
    for (row, index) in rows.enumerated() {
      gathered.slice(row * featureCount, featureCount)
        .copy(from: table.slice(index * featureCount, featureCount))
    }
    return gathered.slice(0, rows.count * featureCount)
  }

  /// Labels of those rows.
  func labels(_ rows: ArraySlice<Int>) -> [Int] { loaders[0].labels(images(rows)) }

  private func images(_ rows: ArraySlice<Int>) -> ArraySlice<Int> { rows.map { positions[$0] }[...] }

  private func compute(_ rows: ArraySlice<Int>, by loader: BatchLoader, epoch: Int) -> Floats {
    loader.load(images(rows), epoch: epoch, into: source.input)
    return source.features(count: rows.count)
  }
}
