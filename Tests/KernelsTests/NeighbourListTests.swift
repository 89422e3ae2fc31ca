import Kernels
import Parallel
import TensorElements
import Tensors
import Testing

@Suite("Lists of neighbours")
struct NeighbourListTests {
  @Test(arguments: [1, 3, 16, 50], [1, 7, 40])
  func `neighbours are those of a sorted list, in blocks of any size`(k: Int, block: Int) throws {
    let (queries, bank) = (9, 40)
    let team = try ThreadTeam(threads: 2)
    let compute = Compute(team: team)
    let arena = try Arena()
    let lists = try NeighbourLists(rows: queries, k: k, arena: arena)
    let memory = try arena.allocate(queries * block)
    var random = CounterRandom(seed: 3)
    // Many equal ones.
    let values = (0..<queries * bank).map { _ in Float(random.below(12)) - 6 }
    for own in [nil, 2] {
      lists.clear()
      for first in stride(from: 0, to: bank, by: block) {
        let count = min(block, bank - first)
        for query in 0..<queries {
          for column in 0..<count { memory[query * block + column] = values[query * bank + first + column] }
        }
        compute.takeNeighbours(
          Matrix(memory, rowStride: block), queries: queries, columns: count, first: first, excluding: own,
          into: lists)
      }
      for query in 0..<queries {
        let row = (0..<bank).filter { $0 != own.map { $0 + query } }
          .map { ($0, values[query * bank + $0]) }
        let expected = row.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.prefix(k)
        let found = lists.neighbours(of: query)
        #expect(found.map(\.index) == expected.map(\.0))
        #expect(found.map(\.similarity) == expected.map(\.1))
      }
    }
  }

  @Test func `rows of length one, of floats and of bytes`() throws {
    let compute = Compute(team: try ThreadTeam(threads: 2))
    let arena = try Arena()
    let table = try arena.allocate(6)
    table.copy(from: [9, 9, 3, 4, 0, 0])
    let target = try arena.allocate(4)
    compute.unitRows(of: table, [1, 2], count: 2, into: target)
    #expect(target.array == [0.6, 0.8, 0, 0])
    compute.unitRows(of: [0, 0, 5, 12] as [UInt8], [1, 0], count: 2, into: target)
    #expect(target.array == [Float(5.0 / 13), Float(12.0 / 13), 0, 0])
  }
}
