/// How much memory the machine, or the container, has.
package enum MachineMemory {
  /// Bytes in all; `nil`: unknown.
  package static var totalBytes: Int? {
    [amount("MemTotal"), number("/sys/fs/cgroup/memory.max")].compactMap(\.self).min()
  }

  /// Bytes that a new process may take without anything being swapped out; `nil`: unknown.
  package static var availableBytes: Int? {
    var limits = [amount("MemAvailable")].compactMap(\.self)
    if let most = number("/sys/fs/cgroup/memory.max"), let used = number("/sys/fs/cgroup/memory.current") {
      limits.append(max(0, most - used))
    }
    return limits.min()
  }

  /// A line of `/proc/meminfo`: `MemTotal:       24671236 kB`.
  private static func amount(_ name: String) -> Int? {
    for line in text("/proc/meminfo").split(separator: "\n") where line.hasPrefix("\(name):") {
      return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map {
        Int(clamping: UInt64(clamping: $0) &<< 10)
      }
    }
    return nil
  }

  private static func number(_ path: String) -> Int? {
    Int(text(path).prefix { $0 != "\n" })
  }

  /// The kernel's files have no size to read by; one that is not there says nothing.
  private static func text(_ path: String) -> String {
    let bytes = try? File.content(of: path, .kernel)
    return String(decoding: bytes ?? [], as: UTF8.self)
  }
}
