import Parallel
import Platform
import Tensors

/// What every operation needs: the threads, and scratch memory that all operations share one after another.
///
/// While a network is planned, each operation says how much scratch it needs; then `allocate(from:)` takes the
/// largest amount once. No operation allocates memory when it runs.
package final class Compute {
  /// The threads that run the operations.
  package let team: ThreadTeam
  private var scratchCount = 0
  private var scratchFloats: Floats?

  /// Operations will run on `team`.
  package init(team: ThreadTeam) {
    self.team = team
  }

  /// Takes the scratch memory that the planned operations need. Operations planned later need another call.
  package func allocate(from arena: Arena) throws(SystemError) {
    if let present = scratchFloats, present.count >= scratchCount { return }
    scratchFloats = try arena.allocate(scratchCount)
  }

  /// Notes that an operation needs `count` floats of scratch while it runs.
  func require(_ count: Int) {
    scratchCount = max(scratchCount, count)
  }

  /// The scratch memory; traps before `allocate(from:)`.
  func scratch(_ count: Int) -> Floats {
    guard let scratchFloats, scratchFloats.count >= count else {
      preconditionFailure("Compute.allocate(from:) comes after planning and before the first operation")
    }
    return scratchFloats
  }
}
