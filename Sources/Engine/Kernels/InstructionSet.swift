import Glibc
import KernelsABI
import KernelsBaseline
import Platform

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
#endif

/// The kernels can be compiled for these; results differ in the last bits from one to another.
package enum InstructionSet: String, Sendable, CaseIterable {
  /// What every processor of the architecture has.
  case baseline
  /// x86-64-v3: AVX2 and FMA.
  case avx2
  /// x86-64-v4: AVX-512.
  case avx512

  /// The environment variable that forces one.
  package static let environmentName = "VICREGD_ISA"

  /// Those that this processor has, the best one last.
  package static var available: [InstructionSet] {
    var sets = [InstructionSet.baseline]
    #if arch(x86_64)
      if CPU.supportsAVX2 { sets.append(.avx2) }
      if CPU.supportsAVX512 { sets.append(.avx512) }
    #endif
    return sets
  }

  /// The set that `name`, the value of `VICREGD_ISA`, asks for; the best available one for `nil`.
  package static func named(_ name: String?) throws(InstructionSetError) -> InstructionSet {
    guard let name else { return available.last ?? .baseline }
    guard let set = InstructionSet(rawValue: name), available.contains(set) else {
      throw InstructionSetError(name: name, available: available)
    }
    return set
  }

  /// The set that the environment of this process asks for.
  package static func fromEnvironment() throws(InstructionSetError) -> InstructionSet {
    try named(getenv(environmentName).map { String(cString: $0) })
  }

  /// Blocks of columns for which the kernels have a tile: those of a panel of packed weights.
  var columnBlocks: Int { self == .avx512 ? 4 : 2 }

  var kernels: KernelTable {
    #if arch(x86_64)
      switch self {
      case .baseline: return KernelsBaseline.kernelTable()
      case .avx2: return KernelsAVX2.kernelTable()
      case .avx512: return KernelsAVX512.kernelTable()
      }
    #else
      return KernelsBaseline.kernelTable()
    #endif
  }
}

/// `VICREGD_ISA` names no instruction set that can be used here.
package struct InstructionSetError: Error, CustomStringConvertible {
  /// What was asked for.
  package let name: String
  /// What may be asked for on this machine.
  package let available: [InstructionSet]

  /// A sentence for people.
  package var description: String {
    let names = available.map(\.rawValue).joined(separator: ", ")
    return "\(InstructionSet.environmentName)=\(name) cannot be used: this machine has \(names)"
  }
}
