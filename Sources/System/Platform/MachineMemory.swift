/// How much memory the machine, or the container, has.
package enum MachineMemory {
  /// Bytes in all; `nil`: unknown.
  package static var totalBytes: Int? {
    [amount("MemTotal"), ControlGroups().memoryBytes].compactMap(\.self).min()
  }

  /// Bytes that a new process may take without anything being swapped out; `nil`: unknown.
  package static var availableBytes: Int? {
    [amount("MemAvailable"), ControlGroups().memoryBytesLeft].compactMap(\.self).min()
  }

  /// A line of `/proc/meminfo`: `MemTotal:       24671236 kB`.
  private static func amount(_ name: String) -> Int? {
    for line in (ControlGroups.text("/proc/meminfo") ?? "").split(separator: "\n")
    where line.hasPrefix("\(name):") {
      return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map {
        Int(clamping: UInt64(clamping: $0) &<< 10)
      }
    }
    return nil
  }
}
