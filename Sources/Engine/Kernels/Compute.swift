import KernelsABI
import Parallel
import Platform
import Recipe
import Tensors

/// What every operation needs: the threads, the kernels of one instruction set, and scratch memory that all
/// operations share one after another.
///
/// While a network is planned, each operation says how much scratch it needs; then `allocate(from:)` takes
/// the largest amount once. No operation allocates memory when it runs.
package final class Compute {
  /// The threads that run the operations.
  package let team: ThreadTeam
  /// The instruction set that the kernels are compiled for.
  package let instructionSet: InstructionSet
  /// How the convolutions of a network that has no record of them are computed.
  package let convolutions: ConvolutionChoice
  /// Takes the time of every operation, for benchmarks.
  package var profile: OperationProfile?
  /// Bytes from which on a map is written past the caches: nothing of it would be left there when it is read.
  ///
  /// Half of the cache that cores share, for what is read meanwhile takes the other.
  package var streamedBytes =
    min(Compute.sharedCacheBytesMax, CPU.sharedCacheBytes ?? Compute.usualSharedCacheBytes) / 2
  /// What counts of the shared cache: one that is larger belongs to other programs too.
  private static let sharedCacheBytesMax = 64 << 20
  /// The shared cache of a system that does not say.
  private static let usualSharedCacheBytes = 32 << 20
  let kernels: KernelTable
  private var scratchCount = 0
  private var scratchFloats: Floats?

  /// Operations will run on `team` with the kernels of `instructionSet`, one of `InstructionSet.available`.
  package init(
    team: ThreadTeam, instructionSet: InstructionSet, convolutions: ConvolutionChoice = .direct
  ) {
    precondition(InstructionSet.available.contains(instructionSet), "this machine lacks \(instructionSet)")
    self.team = team
    self.instructionSet = instructionSet
    self.convolutions = convolutions
    kernels = instructionSet.kernels
  }

  /// Operations will run on `team` with the instruction set that the environment asks for.
  package convenience init(team: ThreadTeam, convolutions: ConvolutionChoice = .direct) {
    do {
      self.init(team: team, instructionSet: try InstructionSet.fromEnvironment(), convolutions: convolutions)
    } catch {
      preconditionFailure("check InstructionSet.fromEnvironment() at start: \(error)")
    }
  }

  /// Takes the scratch memory that the planned operations need. Operations planned later need another call.
  package func allocate(from arena: Arena) throws(SystemError) {
    let count = Partials.floats + scratchCount
    if let present = scratchFloats, present.count >= count { return }
    scratchFloats = try arena.allocate(count)
  }

  /// Notes that an operation needs `count` floats of scratch while it runs.
  func require(_ count: Int) {
    scratchCount = max(scratchCount, count)
  }

  /// Whether a result is written past the caches: it is large, and its lines are lines of the cache.
  func streams(_ map: Activation) -> Bool {
    map.storage.count * MemoryLayout<Float>.stride >= streamedBytes
      && Int(bitPattern: map.storage.pointer).isMultiple(of: 64)
  }

  /// Bytes of the scratch memory.
  package var scratchBytes: Int { (scratchFloats?.count ?? 0) * MemoryLayout<Float>.stride }

  /// The scratch memory of planned operations; 64-byte aligned.
  func scratch(_ count: Int) -> Out {
    let floats = allScratch
    precondition(
      floats.count - Partials.floats >= count, "an operation runs with the scratch that it planned")
    return floats.pointer + Partials.floats
  }

  /// The scratch memory that operations without a plan share.
  var partials: Partials { Partials(start: allScratch.pointer) }

  private var allScratch: Floats {
    guard let scratchFloats else {
      preconditionFailure("Compute.allocate(from:) comes after planning and before the first operation")
    }
    return scratchFloats
  }
}
