import CCPU
import Glibc

/// The processor that this process runs on.
package enum CPU {
  /// Cores that this process can keep busy: those of its affinity mask, or fewer where a control group limits
  /// its time; at least 1.
  package static var availableCores: Int { min(affineCores, ControlGroups().cores ?? .max) }

  /// Cores that the scheduler may give to this process, at least 1.
  private static var affineCores: Int {
    let count = Int(ccpu_affinity_count())
    return count > 0 ? count : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }

  /// The model as `/proc/cpuinfo` names it, such as `AMD EPYC 7763 64-Core Processor`; `nil`: it does not.
  package static var model: String? {
    for line in (ControlGroups.text("/proc/cpuinfo") ?? "").split(separator: "\n") {
      let sides = line.split(separator: ":", maxSplits: 1)
      guard sides.count == 2, sides[0].split(whereSeparator: \.isWhitespace) == ["model", "name"] else {
        continue
      }
      let words = sides[1].split(whereSeparator: \.isWhitespace)
      return words.isEmpty ? nil : words.joined(separator: " ")
    }
    return nil
  }

  /// AVX2, FMA and the rest of x86-64-v3 can be used.
  package static var supportsAVX2: Bool { ccpu_supports_x86_64_v3() != 0 }

  /// AVX-512 F, BW, CD, DQ, VL (x86-64-v4) can be used.
  package static var supportsAVX512: Bool { ccpu_supports_x86_64_v4() != 0 }

  /// Bytes of the last level of cache, which cores share; nil if the system does not say.
  package static var sharedCacheBytes: Int? {
    let bytes = sysconf(Int32(_SC_LEVEL3_CACHE_SIZE))
    return bytes > 0 ? bytes : nil
  }

  /// Nanoseconds that all threads of this process have run.
  package static var processNanoseconds: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Tells the core that this is a spin loop.
  @inline(__always)
  package static func relax() { ccpu_relax() }
}
