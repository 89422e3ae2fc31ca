import Datasets
import TensorElements
import Tensors

/// Batches of features of one split, as a classifier takes them.
///
/// An encoder's features of images that never change are computed once and kept; pixels are cheaper to make
/// again.
final class FeatureRows {
  /// Number of images.
  var count: Int { loader.dataset.count }
  /// Numbers that describe an image, D.
  var featureCount: Int { source.featureCount }

  private let loader: BatchLoader
  private let source: FeatureSource
  private let batchSize: Int
  /// `[count][D]`, where kept.
  private(set) var table: Floats?
  /// Where rows of the table are put side by side, `[batchSize][D]`.
  private let gathered: Floats
  private let arena: Arena

  /// Rows of what `loader` makes, in batches of at most `batchSize`. Throws `SystemError` without memory.
  init(loader: BatchLoader, source: FeatureSource, batchSize: Int) throws {
    self.loader = loader
    self.source = source
    self.batchSize = batchSize
    arena = try Arena()
    gathered = try arena.allocate(batchSize * source.featureCount)
  }

  /// Computes all features once, if that saves work; `loader`'s views must not depend on the epoch.
  ///
  /// - Parameters:
  ///   - proceed: called before each batch; what it throws ends the computation.
  ///   - done: called after each batch with the number of its images.
  func keep(_ proceed: () throws -> Void, done: (_ images: Int) throws -> Void = { _ in }) throws {
    guard case .encoder = source else { return }
    let table = try arena.allocate(count * featureCount)
    for batch in batches() {
      try proceed()
      let rows = compute(batch, epoch: 0)
      table.slice(batch.startIndex * featureCount, rows.count).copy(from: rows)
      try done(batch.count)
    }
    self.table = table
  }

  /// All images in their order, batch by batch.
  func batches() -> [ArraySlice<Int>] {
    let all = Array(0..<count)
    return stride(from: 0, to: count, by: batchSize).map { all[$0..<min($0 + batchSize, count)] }
  }

  /// Features of the images at `indices`, row-major `[n][D]`; valid until the next call.
  func features(_ indices: ArraySlice<Int>, epoch: Int) -> Floats {
    guard let table else { return compute(indices, epoch: epoch) }
    for (row, index) in indices.enumerated() {
      gathered.slice(row * featureCount, featureCount)
        .copy(from: table.slice(index * featureCount, featureCount))
    }
    return gathered.slice(0, indices.count * featureCount)
  }

  /// Labels of the images at `indices`.
  func labels(_ indices: ArraySlice<Int>) -> [Int] { loader.labels(indices) }

  private func compute(_ indices: ArraySlice<Int>, epoch: Int) -> Floats {
    loader.load(indices, epoch: epoch, into: source.input)
    return source.features(count: indices.count)
  }
}
