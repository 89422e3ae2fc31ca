import Kernels
import Parallel
import TensorElements
import Tensors
import Testing

@Suite("Tables of features")
struct TableTests {
  @Test(arguments: [(7, 3), (3, 7), (5, 5), (100, 33)], [1, 2, 3])
  func `moments, Gram matrix and projections of a table`(size: (Int, Int), threads: Int) throws {
    let (rows, columns) = size
    let arena = try Arena()
    let compute = Compute(team: try ThreadTeam(threads: threads))
    let table = try arena.allocate(rows * columns)
    var random = CounterRandom(seed: 5)
    for index in 0..<rows * columns { table[index] = random.normal() + 2 }
    func value(_ row: Int, _ column: Int) -> Double { Double(table[row * columns + column]) }

    let (means, variances) = (try arena.allocateDoubles(columns), try arena.allocateDoubles(columns))
    compute.columnMoments(of: table, rows: rows, into: means, variances: variances)
    for column in 0..<columns {
      let mean = (0..<rows).reduce(0) { $0 + value($1, column) } / Double(rows)
      let variance = (0..<rows).reduce(0) { sum, row in
        sum + (value(row, column) - mean) * (value(row, column) - mean)
      }
      #expect(means[column] == mean)
      #expect(variances[column] == variance / Double(rows))
    }

    let order = min(rows, columns)
    var gram = Array(repeating: -1.0, count: order * order)
    compute.lowerGram(of: table, rows: rows, columns: columns, into: &gram)
    for i in 0..<order {
      for j in 0...i {
        let sum =
          rows <= columns
          ? (0..<columns).reduce(0) { $0 + value(i, $1) * value(j, $1) }
          : (0..<rows).reduce(0) { $0 + value($1, i) * value($1, j) }
        #expect(gram[i * order + j] == sum)
      }
      for j in i + 1..<max(order, i + 1) { #expect(gram[i * order + j] == -1) }
    }

    let (axes, points) = (try arena.allocateDoubles(2 * columns), try arena.allocateDoubles(2 * rows))
    for index in 0..<2 * columns { axes[index] = Double(random.normal()) }
    compute.project(table, rows: rows, centre: means, onto: axes, into: points)
    for row in 0..<rows {
      for axis in 0..<2 {
        let sum = (0..<columns).reduce(0) {
          $0 + (value(row, $1) - means[$1]) * axes[axis * columns + $1]
        }
        #expect(points[2 * row + axis] == sum)
      }
    }
  }
}
