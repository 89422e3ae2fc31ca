import Glibc

/// How busy the machine, or the container, is.
package struct MachineLoad: Sendable, Equatable {
  /// Processor time that was used until then, in nanoseconds of one core.
  package let busyNanoseconds: UInt64
  /// When that was, in monotonic nanoseconds.
  package let atNanoseconds: UInt64
  /// Cores that could be kept busy.
  package let cores: Int

  package init(busyNanoseconds: UInt64, atNanoseconds: UInt64, cores: Int) {
    self.busyNanoseconds = busyNanoseconds
    self.atNanoseconds = atNanoseconds
    self.cores = cores
  }

  /// As it is now: of the control group where that has a quota of processor time, else of the machine; `nil`:
  /// the kernel does not say.
  package static var now: MachineLoad? { MachineLoad(read: ControlGroups.text, cores: CPU.availableCores) }

  /// As above, with the kernel's files read by `read`.
  package init?(read: @escaping (_ path: String) -> String?, cores: Int) {
    let groups = ControlGroups(read: read)
    let group = groups.cores == nil ? nil : groups.busyNanoseconds
    guard let busy = group ?? Self.machineBusyNanoseconds(read("/proc/stat") ?? "") else { return nil }
    // The machine's time is that of all its cores.
    let machineCores = group == nil ? max(cores, Self.coreCount(read("/proc/stat") ?? "")) : cores
    self.init(
      busyNanoseconds: busy, atNanoseconds: SystemClock.monotonicNanoseconds, cores: machineCores)
  }

  /// The share of the cores that was used since an earlier look, from 0 to 1; `nil`: no time has passed.
  package func share(since earlier: MachineLoad) -> Double? {
    guard atNanoseconds > earlier.atNanoseconds, busyNanoseconds >= earlier.busyNanoseconds else {
      return nil
    }
    let passed = Double(atNanoseconds - earlier.atNanoseconds) * Double(max(1, cores))
    return min(1, Double(busyNanoseconds - earlier.busyNanoseconds) / passed)
  }

  /// Mean numbers of processes that ran or waited to run in the last 1, 5 and 15 minutes; `nil`: the kernel
  /// does not say.
  package static var averages: [Double]? {
    let fields = (ControlGroups.text("/proc/loadavg") ?? "").split(separator: " ").prefix(3)
    let numbers = fields.compactMap { Double($0) }
    return numbers.count == 3 ? numbers : nil
  }

  /// The first line of `/proc/stat`: `cpu USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …` in ticks.
  private static func machineBusyNanoseconds(_ text: String) -> UInt64? {
    guard let line = text.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
    let ticks = line.split(separator: " ").dropFirst().prefix(8).map { UInt64($0) ?? 0 }
    guard ticks.count >= 5 else { return nil }
    let busy = ticks.reduce(0, &+) &- ticks[3] &- ticks[4]
    let ticksPerSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
    return busy &* (1_000_000_000 / ticksPerSecond)
  }

  private static func coreCount(_ text: String) -> Int {
    text.split(separator: "\n").filter { $0.hasPrefix("cpu") && !$0.hasPrefix("cpu ") }.count
  }
}
