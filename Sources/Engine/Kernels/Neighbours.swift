import Parallel
import Platform
import Tensors

/// For each of some queries the most similar rows of a bank, found while blocks of the bank come by.
///
/// Most similar first; of equal similarities the row with the lower index first.
package struct NeighbourLists: Sendable {
  /// Neighbours of a query at most.
  package let k: Int
  /// Queries at most.
  package let rows: Int
  /// `[rows][k]`.
  private let similarities: Floats
  /// `[rows][k]`: rows of the bank, as doubles, which hold such numbers exactly.
  private let indices: Doubles
  /// `[rows]`: neighbours found so far.
  private let counts: Doubles

  /// Lists for `rows` queries. Throws `SystemError` without memory.
  package init(rows: Int, k: Int, arena: Arena) throws(SystemError) {
    precondition(rows >= 1 && k >= 1, "lists have room")
    self.k = k
    self.rows = rows
    similarities = try arena.allocate(rows * k)
    indices = try arena.allocateDoubles(rows * k)
    counts = try arena.allocateDoubles(rows)
  }

  /// Forgets all neighbours.
  package func clear() {
    let counts = counts.pointer
    for row in 0..<rows { counts[row] = 0 }
  }

  /// The neighbours of a query: rows of the bank with their similarities, the most similar first.
  package func neighbours(of row: Int) -> [(index: Int, similarity: Float)] {
    precondition(row >= 0 && row < rows, "row out of range")
    return (0..<Int(counts.pointer[row])).map {
      (Int(indices.pointer[row * k + $0]), similarities.pointer[row * k + $0])
    }
  }

  /// Takes `count` similarities of one query, to the rows of the bank from `first` on.
  fileprivate func take(
    _ values: UnsafeMutablePointer<Float>, count: Int, first: Int, excluding own: Int?, row: Int
  ) {
    let (best, found) = (similarities.pointer + row * k, indices.pointer + row * k)
    var length = Int(counts.pointer[row])
    var least = length == k ? best[k - 1] : -Float.infinity
    for column in 0..<count {
      let value = values[column]
      // Rows come in the order of their indices: an equal one goes behind.
      guard length < k || value > least, first + column != own else { continue }
      var place = length < k ? length : k - 1
      while place > 0, best[place - 1] < value {
        best[place] = best[place - 1]
        found[place] = found[place - 1]
        place -= 1
      }
      best[place] = value
      found[place] = Double(first + column)
      length = min(length + 1, k)
      if length == k { least = best[k - 1] }
    }
    counts.pointer[row] = Double(length)
  }
}

extension Compute {
  /// Adds a block of the bank to the lists of the first `queries` queries.
  ///
  /// `similarities` is `[queries, columns]`; column c is row `first + c` of the bank. Blocks must come in the
  /// order of their rows. With `excluding`, query q is row `excluding + q` of the bank and not its own
  /// neighbour. Each list is a function of its query's row alone.
  ///
  /// Reference: `neighbours are those of a sorted list, in blocks of any size`
  package func takeNeighbours(
    _ similarities: Matrix, queries: Int, columns: Int, first: Int, excluding own: Int? = nil,
    into lists: NeighbourLists
  ) {
    precondition(
      queries <= lists.rows && columns <= similarities.rowStride
        && similarities.floats.count >= (queries - 1) * similarities.rowStride + columns,
      "sizes must agree")
    let source = similarities.floats.pointer
    eachRow(queries) { row in
      lists.take(
        source + row * similarities.rowStride, count: columns, first: first, excluding: own.map { $0 + row },
        row: row)
    }
  }

  /// Writes rows of `table`, `[rows][D]`, divided by their norm to the front of `target`,
  /// `[indices.count][D]`; a row of zeros is copied unchanged. Squares are added in double precision.
  ///
  /// Reference: `rows of length one, of floats and of bytes`
  package func unitRows(of table: Floats, _ indices: ArraySlice<Int>, count d: Int, into target: Floats) {
    precondition(
      indices.allSatisfy { $0 >= 0 && ($0 + 1) * d <= table.count } && target.count >= indices.count * d,
      "sizes must agree")
    let (source, output) = (table.pointer, target.pointer)
    eachRow(indices.count) { row in
      let x = source + indices[indices.startIndex + row] * d
      let y = output + row * d
      var squares = 0.0
      for j in 0..<d { squares += Double(x[j]) * Double(x[j]) }
      let scale = squares > 0 ? 1 / squares.squareRoot() : 0
      for j in 0..<d { y[j] = Float(Double(x[j]) * scale) }
    }
  }

  /// The same of bytes, `[rows][D]`.
  ///
  /// Reference: `rows of length one, of floats and of bytes`
  package func unitRows(of bytes: [UInt8], _ indices: ArraySlice<Int>, count d: Int, into target: Floats) {
    precondition(
      indices.allSatisfy { $0 >= 0 && ($0 + 1) * d <= bytes.count } && target.count >= indices.count * d,
      "sizes must agree")
    let output = target.pointer
    bytes.withUnsafeBufferPointer { buffer in
      guard let source = buffer.baseAddress else { return }
      eachRow(indices.count) { row in
        let x = source + indices[indices.startIndex + row] * d
        let y = output + row * d
        var squares = 0
        for j in 0..<d { squares += Int(x[j]) * Int(x[j]) }
        let scale = squares > 0 ? 1 / Double(squares).squareRoot() : 0
        for j in 0..<d { y[j] = Float(Double(x[j]) * scale) }
      }
    }
  }
}
