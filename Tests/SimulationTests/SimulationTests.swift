import Logging
import Platform
import Testing

/// `Scripts/prove.sh simulation` does a million operations; a test run takes a few thousand of each seed.
@Suite(.serialized) struct `Whatever happens to store and dispatcher` {
  /// Of all seeds together.
  private static let operations = Environment.all["PROOF_OPERATIONS"].flatMap { Int($0) } ?? 18_000
  private static let seeds: [UInt64] =
    Environment.all["PROOF_SEED"].flatMap { UInt64($0) }.map { [$0] } ?? [1, 2, 3]

  @Test(arguments: seeds) func `the invariants hold`(seed: UInt64) throws {
    Log.level = .error
    let simulation = try Simulation(seed: seed)
    try simulation.run(operations: Self.operations / Self.seeds.count, checkEvery: 250)
    let counts = simulation.counts.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
    print("simulation of seed \(seed): \(counts.joined(separator: ", "))")
    #expect(simulation.counts.count == 18, "each kind of operation was done")
  }
}
