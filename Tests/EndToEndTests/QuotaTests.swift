import Glibc
import JSONText
import Platform
import Testing

/// The real program beneath made-up control groups, in a mount namespace of its own.
@Suite(.enabled(if: geteuid() == 0, "only root can mount the kernel's folders anew"))
struct `A CPU quota` {
  /// What the program says of its threads by default with such files in `/sys/fs/cgroup`.
  private func output(_ files: [String: String], hidingProc: Bool = false) throws -> String {
    let folder = "\(FileSystem.temporaryDirectory)/vicregd-quota-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileSystem.removeTree(folder) }  // a folder left among temporary files harms nobody
    try FileSystem.makeDirectories("\(folder)/groups")
    for (name, text) in files {
      try FileSystem.makeDirectories(FileSystem.parent(of: "\(folder)/groups/\(name)"))
      try File("\(folder)/groups/\(name)", .createNew).write(Array(text.utf8))
    }
    let hide = hidingProc ? "mount -t tmpfs none /proc && " : ""
    let command =
      "mount --bind \(folder)/groups /sys/fs/cgroup && \(hide)exec \(try Daemon.program()) bench memory "
      + "--preset small --batch 2 --side 8 --json"
    let process = try ChildProcess(
      "/usr/bin/unshare", ["-m", "sh", "-c", command], logPath: "\(folder)/log")
    _ = try process.wait()
    return String(decoding: try File("\(folder)/log", .read).readAll(), as: UTF8.self)
  }

  private func threads(_ files: [String: String]) throws -> Int {
    let text = try output(files)
    return try #require(JSON.parse(text)["threads"]?.int, "\(text)")
  }

  @Test func `of version 2 limits the threads, rounded up`() throws {
    #expect(try threads(["cpu.max": "100000 100000\n"]) == 1)
    #expect(try threads(["cpu.max": "20000 100000\n"]) == 1)
    let all = try threads(["cpu.max": "max 100000\n"])
    #expect(try threads(["cpu.max": "150000 100000\n"]) == min(2, all))
  }

  @Test func `of version 1 limits the threads`() throws {
    #expect(try threads(["cpu/cpu.cfs_quota_us": "90000\n", "cpu/cpu.cfs_period_us": "100000\n"]) == 1)
    let all = try threads(["cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"])
    #expect(try threads([:]) == all)
  }

  @Test func `cannot be known without /proc, and the program says that`() throws {
    #expect(try output([:], hidingProc: true).contains("/proc must be mounted"))
  }
}
