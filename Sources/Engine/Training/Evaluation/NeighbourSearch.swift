import Kernels
import Parallel
import Tensors

/// Finds the most similar rows of a bank for each of many rows, by comparing all pairs in blocks.
///
/// Memory is bounded by the blocks, whatever the number of rows. The bits do not depend on the threads.
final class NeighbourSearch {
  /// What is searched.
  struct Bank {
    /// Where its features are.
    enum Content {
      case rows(StandardizedRows.Source)
      /// In a file, of which a block at a time is in memory.
      case file(FeatureBank)
    }
    let content: Content
    /// Rows of it that belong to the bank, in order.
    let rows: [Int]

    /// Those rows.
    init(_ source: StandardizedRows.Source, _ rows: [Int]) {
      content = .rows(source)
      self.rows = rows
    }

    /// All rows of a file.
    init(_ file: FeatureBank) {
      content = .file(file)
      rows = Array(0..<file.count)
    }
  }

  /// Rows of a block: at most so many, and so many floats of features.
  private static let bankRowsMax = 4096
  private static let queryRowsMax = 1024
  private static let rowsMin = 64
  private static let blockFloats = 4 << 20

  private let featureCount: Int
  private let bankRows: Int
  private let queryRows: Int
  private let compute: Compute
  private let product: MatrixProduct
  private let bankBlock: Floats
  private let queryBlock: Floats
  private let similarities: Floats
  private let lists: NeighbourLists

  /// Plans searches in banks of at most `bankCount` rows, for about `queryCount` rows. Throws `SystemError`
  /// without memory.
  init(
    featureCount: Int, bankCount: Int, queryCount: Int = .max, k: Int, team: ThreadTeam, arena: Arena
  ) throws {
    self.featureCount = featureCount
    let rows = max(Self.rowsMin, Self.blockFloats / featureCount)
    bankRows = min(bankCount, rows, Self.bankRowsMax)
    queryRows = min(rows, Self.queryRowsMax, max(queryCount, 1))
    compute = Compute(team: team)
    product = MatrixProduct(m: queryRows, n: bankRows, k: featureCount, compute: compute)
    bankBlock = try arena.allocate(bankRows * featureCount)
    queryBlock = try arena.allocate(queryRows * featureCount)
    similarities = try arena.allocate(queryRows * bankRows)
    lists = try NeighbourLists(rows: queryRows, k: min(k, bankCount), arena: arena)
    try compute.allocate(from: arena)
  }

  /// Searches for the neighbours of rows of `source`.
  ///
  /// - Parameters:
  ///   - excludesOwn: the rows are the first ones of the bank, and not their own neighbours.
  ///   - proceed: called before each block; what it throws ends the search.
  ///   - found: takes each row with its neighbours, places in the bank's list, the most similar first.
  ///   - counted: takes the number of rows that are done, block by block.
  func run(
    _ source: StandardizedRows.Source, _ rows: [Int], in bank: Bank, excludesOwn: Bool = false,
    _ proceed: () throws -> Void,
    found: (_ row: Int, _ neighbours: [(index: Int, similarity: Float)]) -> Void,
    counted: (_ rows: Int) throws -> Void
  ) throws {
    for first in stride(from: 0, to: rows.count, by: queryRows) {
      let block = rows[first..<min(first + queryRows, rows.count)]
      load(source, block, into: queryBlock)
      lists.clear()
      for start in stride(from: 0, to: bank.rows.count, by: bankRows) {
        try proceed()
        let columns = bank.rows[start..<min(start + bankRows, bank.rows.count)]
        try load(bank.content, columns, into: bankBlock)
        let result = Matrix(similarities, rowStride: bankRows)
        product.run(
          Matrix(queryBlock, rowStride: featureCount), Matrix(bankBlock, rowStride: featureCount),
          transposeB: true, into: result, rows: block.count)
        compute.takeNeighbours(
          result, queries: block.count, columns: columns.count, first: start,
          excluding: excludesOwn ? first : nil, into: lists)
      }
      for (index, row) in block.enumerated() { found(row, lists.neighbours(of: index)) }
      try counted(block.count)
    }
  }

  private func load(_ content: Bank.Content, _ rows: ArraySlice<Int>, into target: Floats) throws {
    switch content {
    case .rows(let source): load(source, rows, into: target)
    case .file(let file):
      guard let first = rows.first else { return }
      try file.read(first..<(first + rows.count), into: target)
      compute.unitRows(of: target, Array(0..<rows.count)[...], count: featureCount, into: target)
    }
  }

  private func load(_ source: StandardizedRows.Source, _ rows: ArraySlice<Int>, into target: Floats) {
    switch source {
    case .table(let table): compute.unitRows(of: table, rows, count: featureCount, into: target)
    case .pixels(let bytes): compute.unitRows(of: bytes, rows, count: featureCount, into: target)
    }
  }
}
