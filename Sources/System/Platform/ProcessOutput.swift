import CLinux
import Glibc

/// What a program wrote to its standard output, and how it ended.
package struct ProcessOutput: Sendable {
  package let bytes: [UInt8]
  package let ending: Ending

  /// How the program ended, by itself or because it was at a limit.
  package enum Ending: Sendable, Equatable {
    case ended(ChildProcess.Ending)
    /// It took longer than it may and was killed.
    case overTime
    /// It wrote more than it may and was killed.
    case overSize
  }

  /// Runs a program to its end, at most for a time, and takes what it writes, at most so many bytes. Blocks
  /// the calling thread for that long. Its standard error goes nowhere.
  ///
  /// - Throws: `SystemError` if it cannot be started.
  package init(
    of program: String, _ arguments: [String], environment: [String: String], milliseconds: Int,
    bytesMax: Int
  ) throws(SystemError) {
    let deadline = SystemClock.monotonicNanoseconds + UInt64(milliseconds) * 1_000_000
    let (reading, writing) = try Self.pipe()
    defer { close(reading) }
    let child: ChildProcess
    do {
      defer { close(writing) }
      child = try ChildProcess(program, arguments, environment: environment, output: writing)
    }
    var bytes: [UInt8] = []
    var limit: Ending?
    while limit == nil {
      guard let piece = Self.read(reading, until: deadline) else {
        limit = .overTime
        break
      }
      if piece.isEmpty { break }
      bytes += piece
      if bytes.count > bytesMax { limit = .overSize }
    }
    // At the end of its output it is about to end; how it does is settled by then.
    child.send(.kill)
    let ending = try child.wait()
    self.bytes = Array(bytes.prefix(bytesMax))
    self.ending = limit ?? .ended(ending)
  }

  /// What is said behind the name of a program that gave no answer; `nil`: it exited with 0.
  ///
  /// - Parameter seconds: that it was given.
  package func failure(seconds: Int) -> String? {
    switch ending {
    case .ended(.exited(code: 0)): nil
    case .ended(let ending): "\(ending)"
    case .overTime: "took longer than \(seconds) s"
    case .overSize: "gave no answer"
    }
  }

  private static func pipe() throws(SystemError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    try retrying("make", "a pipe") { clinux_pipe(&ends) }
    return (ends[0], ends[1])
  }

  /// The next bytes; none at the end of the output; `nil` when the time is over.
  private static func read(_ descriptor: Int32, until deadline: UInt64) -> [UInt8]? {
    while true {
      let now = SystemClock.monotonicNanoseconds
      guard now < deadline else { return nil }
      var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&watched, 1, Int32(clamping: (deadline - now) / 1_000_000 + 1)) > 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count >= 0 { return Array(buffer[..<count]) }
      if errno != EINTR { return [] }
    }
  }
}

/// Bounds that the kernel holds this process to from now on.
package enum ProcessLimits {
  /// Limits memory, processor time and written files; going beyond ends the process, which
  /// leaves no core dump.
  ///
  /// - Parameters:
  ///   - addressSpaceBytes: `nil`: no limit.
  ///   - dataBytes: memory of its own, which files that are mapped do not count for; `nil`: no limit.
  ///   - writesFiles: whether the process may write files.
  package static func set(
    addressSpaceBytes: Int?, dataBytes: Int? = nil, cpuSeconds: Int, writesFiles: Bool = false
  ) throws(SystemError) {
    if let addressSpaceBytes { try limit(RLIMIT_AS, "memory", to: addressSpaceBytes) }
    if let dataBytes { try limit(RLIMIT_DATA, "memory", to: dataBytes) }
    try limit(RLIMIT_CPU, "processor time", to: cpuSeconds)
    if !writesFiles { try limit(RLIMIT_FSIZE, "size of files", to: 0) }
    try limit(RLIMIT_CORE, "core dump", to: 0)
  }

  /// Limits what this process may compute from now on; going beyond ends it.
  package static func allow(furtherCPUSeconds seconds: Int) throws(SystemError) {
    var usage = rusage()
    try retrying("ask for the use of", "processor time") { getrusage(Int32(RUSAGE_SELF.rawValue), &usage) }
    try limit(RLIMIT_CPU, "processor time", to: usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 2 + seconds)
  }

  private static func limit(
    _ kind: __rlimit_resource, _ name: String, to value: Int
  ) throws(SystemError) {
    let resource = __rlimit_resource_t(kind.rawValue)
    var limit = rlimit()
    try retrying("ask for the limit of", name) { getrlimit(resource, &limit) }
    limit.rlim_cur = min(rlim_t(value), limit.rlim_max)
    try retrying("limit", name) { setrlimit(resource, &limit) }
  }
}
