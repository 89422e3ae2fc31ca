import CLinux
import Glibc
import Synchronization

/// A child process in a process group of its own.
///
/// It inherits no descriptor but its three standard ones, no blocked signal and no changed handler.
package final class ChildProcess: Sendable {
  /// How a process ended.
  package enum Ending: Equatable, Sendable, CustomStringConvertible {
    case exited(code: Int32)
    case killed(signal: Int32)

    package var description: String {
      switch self {
      case .exited(let code): "exited with code \(code)"
      case .killed(let signal): "was killed by signal \(signal)"
      }
    }
  }

  package let id: Int32
  /// Whether the id still belongs to this process, that is, until it has been reaped.
  private let isReaped = Mutex(false)

  /// Starts a program with standard input from `/dev/null` and both outputs appended to a regular file.
  ///
  /// - Parameters:
  ///   - arguments: without the program's name, which is put in front.
  ///   - environment: all the variables that the program has; this process's own by default.
  ///   - logPath: created if missing; no link, no pipe.
  /// - Throws: `SystemError`: `start`, also when the program is not there; `open` for the file.
  package convenience init(
    _ program: String, _ arguments: [String], environment: [String: String] = Environment.all,
    logPath: String
  ) throws(SystemError) {
    // Opened here and not by the child, for which this thread would wait if the file were a pipe.
    let log = try File(logPath, .append, links: .refused)
    defer { withExtendedLifetime(log) {} }
    try self.init(
      program, arguments, environment: environment, output: log.descriptor, takesErrorOutput: true)
  }

  /// Starts a program with its output to an open file of this process.
  ///
  /// - Parameters:
  ///   - input: an open file of this process that is its standard input; nil: `/dev/null`.
  ///   - takesErrorOutput: whether its error output goes to the same file, or nowhere.
  /// - Throws: `SystemError` (`start`), also when the program is not there.
  init(
    _ program: String, _ arguments: [String], environment: [String: String], output: Int32,
    input: Int32? = nil, takesErrorOutput: Bool = false
  ) throws(SystemError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // The output first: its own descriptor may be the 0 that the next lines replace.
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    if takesErrorOutput {
      posix_spawn_file_actions_adddup2(&actions, 1, 2)
    } else {
      posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    }
    clinux_spawn_closing(&actions, 3)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    let argumentList = CStringList([program] + arguments)
    let environmentList = CStringList(environment.map { "\($0.key)=\($0.value)" }.sorted())
    var id: pid_t = 0
    let error = posix_spawn(
      &id, program, &actions, &attributes, argumentList.pointers, environmentList.pointers)
    guard error == 0 else { throw SystemError(operation: "start", subject: program, errno: error) }
    self.id = id
  }

  /// Blocks until the process has ended and reaps it. To be called once, on a thread that may wait.
  package func wait() throws(SystemError) -> Ending {
    // First wait without reaping: the id must not become another process's while a signal is on its way.
    var information = siginfo_t()
    try retrying("wait for", "process \(id)") { waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) }
    return try isReaped.withLock { reaped throws(SystemError) in
      var status: Int32 = 0
      try retrying("reap", "process \(id)") { waitpid(id, &status, 0) }
      reaped = true
      let signal = status & 0x7f
      return signal == 0 ? .exited(code: status >> 8 & 0xff) : .killed(signal: signal)
    }
  }

  /// Sends a signal to the process; nothing happens if it has ended.
  package func send(_ signal: Signal) {
    isReaped.withLock { reaped in
      if !reaped { kill(id, signal.rawValue) }
    }
  }
}

/// Other processes, known by their id alone.
package enum ProcessID {
  /// This process.
  package static var own: Int32 { getpid() }

  /// Sends a signal; whether a process took it.
  @discardableResult
  package static func send(_ signal: Signal, to id: Int32) -> Bool {
    id > 1 && kill(id, signal.rawValue) == 0
  }

  /// Whether there is a process of that id, whoever owns it.
  package static func isAlive(_ id: Int32) -> Bool { id > 0 && (kill(id, 0) == 0 || errno == EPERM) }

  /// When a process began, in ticks since the machine did; `nil`: there is none, or it cannot be told.
  ///
  /// With the id it names a process for good: an id alone is given again.
  package static func beginTicks(of id: Int32) -> Int? {
    // proc(5): behind the name, which ends with the last ")", the 20th field is when the process began.
    guard let fields = text("/proc/\(id)/stat")?.split(separator: ")").last?.split(separator: " "),
      fields.count > 19
    else { return nil }
    return Int(fields[19])
  }

  /// How long a process has been there, by a clock that nobody sets; `nil`: there is none, or it cannot be
  /// told.
  package static func ageMilliseconds(of id: Int32) -> Int? {
    // proc(5): the first number is for how many seconds the machine has been up.
    guard let ticks = beginTicks(of: id),
      let upSeconds = text("/proc/uptime")?.split(separator: " ").first.flatMap({ Double($0) })
    else { return nil }
    let beganSeconds = Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    return Int(exactly: max(0, (upSeconds - beganSeconds) * 1000).rounded())
  }

  /// A kernel's file that is not there says nothing.
  private static func text(_ path: String) -> String? {
    (try? File.content(of: path, .kernel)).map { String(decoding: $0, as: UTF8.self) }
  }
}

/// Lowers this process's share of the processor by so many steps of niceness (0–19).
package func lowerPriority(by steps: Int32) {
  // A refusal changes only who waits for whom; there is nothing to be done about it.
  _ = nice(steps)
}

/// A null-terminated list of C strings, as `exec` takes it.
private final class CStringList {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ strings: [String]) {
    count = strings.count
    pointers = .allocate(capacity: count + 1)
    for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
    pointers[count] = nil
  }

  deinit {
    for index in 0..<count { free(pointers[index]) }
    pointers.deallocate()
  }
}
