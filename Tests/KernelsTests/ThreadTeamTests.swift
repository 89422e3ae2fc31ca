import Parallel
import Platform
import Synchronization
import Tensors
import Testing

@Suite struct ThreadTeamTests {
  /// How often a task has run.
  private final class Count: Sendable {
    let runs = Atomic(0)
  }

  @Test(arguments: [1, 2, 3, 8, 64])
  func `every task runs exactly once, region after region`(_ threads: Int) throws {
    let team = try ThreadTeam(threads: threads)
    for region in 0..<200 {
      let tasks = region % 37
      let counts = (0..<tasks).map { _ in Count() }
      team.run(tasks: tasks) { task, member in
        precondition(member >= 0 && member < threads, "a member is one of the team")
        counts[task].runs.add(1, ordering: .relaxed)
      }
      #expect(counts.allSatisfy { $0.runs.load(ordering: .relaxed) == 1 })
    }
  }

  @Test func `a team that never worked can go`() throws {
    for threads in [1, 2, 16] { _ = try ThreadTeam(threads: threads) }
  }
}

@Suite struct ArenaTests {
  @Test func `memory is aligned, zero and reusable`() throws {
    let arena = try Arena(reservedBytes: 8 << 20)
    let first = try arena.allocate(3)
    let mark = arena.mark
    let second = try arena.allocate(1 << 20)
    #expect(second.array.allSatisfy { $0 == 0 })
    first[2] = 1
    second[0] = 2
    arena.reset(to: mark)
    let again = try arena.allocate(1)
    #expect(again[0] == 2)
    #expect(first[2] == 1)
  }

  @Test func `more than was reserved is refused`() throws {
    let arena = try Arena(reservedBytes: 2 << 20)
    #expect(throws: SystemError.self) { try arena.allocate(1 << 24) }
    #expect(try arena.allocate(16).count == 16)
  }
}

@Suite struct CounterRandomTests {
  @Test func `Philox gives the numbers of its authors' test vectors`() {
    let zero = CounterRandom.philox(counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0))
    #expect(zero == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
    let ones = CounterRandom.philox(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
    #expect(ones == SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
  }

  @Test func `numbers have the moments of their distributions`() {
    var random = CounterRandom(seed: 1, 2)
    let count = 100_000
    let uniform = (0..<count).map { _ in Double(random.uniform()) }
    let normal = (0..<count).map { _ in Double(random.normal()) }
    #expect(abs(uniform.reduce(0, +) / Double(count) - 0.5) < 0.005)
    #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(normal.reduce(0, +) / Double(count)) < 0.015)
    #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / Double(count) - 1) < 0.02)
  }

  @Test func `streams differ, and a stream repeats`() {
    var a = CounterRandom(seed: 1, 2, 3)
    var same = CounterRandom(seed: 1, 2, 3)
    var other = CounterRandom(seed: 1, 3, 2)
    let numbers = (0..<8).map { _ in a.next() }
    #expect(numbers == (0..<8).map { _ in same.next() })
    #expect(numbers != (0..<8).map { _ in other.next() })
  }

  @Test func `a permutation has every index once`() {
    var random = CounterRandom(seed: 7)
    let order = random.permutation(1000)
    #expect(order.sorted() == Array(0..<1000))
    #expect(order != Array(0..<1000))
    #expect((0..<1000).allSatisfy { _ in (0..<7).contains(random.below(7)) })
  }
}
