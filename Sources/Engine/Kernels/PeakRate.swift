import KernelsABI
import Parallel

extension Compute {
  /// Multiplies and adds on registers alone, on every thread at once, and returns how many floating-point
  /// operations that was: timed by the caller, the fastest that any operation can be.
  ///
  /// - `steps`: steps of each thread, some 10 ns each.
  package func multiplyAtPeak(steps: Int) -> Int {
    team.run(tasks: team.threads) { _ in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 1024) { buffer in
        guard let start = buffer.baseAddress else { return }
        buffer.initialize(repeating: 1)
        kernels.multiplyRegisters(steps, start, start + 64, start + 128)
      }
    }
    return steps * kernels.operationsOfStep() * team.threads
  }
}
