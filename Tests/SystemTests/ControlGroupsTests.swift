import Platform
import Testing

@Suite("Control groups") struct ControlGroupsTests {
  private func groups(_ files: [String: String]) -> ControlGroups { ControlGroups { files[$0] } }

  /// As in a container with a namespace of its own.
  private static let unified = [
    "/proc/self/cgroup": "0::/\n",
    "/proc/self/mountinfo": """
    24 1 0:22 / /sys rw - sysfs sysfs rw
    31 24 0:27 / /sys/fs/cgroup ro,nosuid shared:4 - cgroup2 cgroup rw

    """,
  ]

  /// As on a machine with version 1.
  private static let legacy = [
    "/proc/self/cgroup": "8:pids:/\n4:memory:/docker/a\n2:cpuacct,cpu:/docker/a\n0::/\n",
    "/proc/self/mountinfo": """
    30 24 0:26 /docker/a /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu
    31 24 0:27 /docker/a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
    32 24 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw

    """,
  ]

  @Test(
    arguments: [
      ("max 100000\n", nil), ("150000 100000\n", 2), ("200000 100000", 2), ("200001 100000", 3),
      ("1000 100000\n", 1), ("50000 50000\n", 1), ("", nil), ("100000\n", nil), ("x y\n", nil),
      ("0 0\n", nil),
    ] as [(String, Int?)])
  func `version 2 gives cpu.max, rounded up`(text: String, cores: Int?) {
    var files = Self.unified
    files["/sys/fs/cgroup/cpu.max"] = text
    #expect(groups(files).cores == cores)
  }

  @Test(arguments: [("-1\n", nil), ("150000\n", 2), ("100\n", 1), ("", nil)] as [(String, Int?)])
  func `version 1 gives cpu.cfs_quota_us over cpu.cfs_period_us`(quota: String, cores: Int?) {
    var files = Self.legacy
    files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"] = quota
    files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us"] = "100000\n"
    #expect(groups(files).cores == cores)
  }

  @Test func `the smallest limit of the own group and those above it counts`() {
    var files = Self.unified
    files["/proc/self/cgroup"] = "0::/a.slice/b.scope\n"
    files["/sys/fs/cgroup/a.slice/b.scope/cpu.max"] = "max 100000\n"
    files["/sys/fs/cgroup/a.slice/cpu.max"] = "300000 100000\n"
    files["/sys/fs/cgroup/a.slice/b.scope/memory.max"] = "1000\n"
    files["/sys/fs/cgroup/a.slice/memory.max"] = "max\n"
    #expect(groups(files).cores == 3)
    #expect(groups(files).memoryBytes == 1000)
    files["/sys/fs/cgroup/cpu.max"] = "100000 100000\n"
    #expect(groups(files).cores == 1)
  }

  @Test func `a group below the mounted one is found, and a mount elsewhere`() {
    var files = Self.legacy
    files["/proc/self/cgroup"] = "2:cpu:/docker/a/job\n1:memory:/docker/a/job\n"
    files["/proc/self/mountinfo"] = """
      30 24 0:26 /docker/a /my\\040groups/cpu rw master:3 - cgroup none rw,cpu
      31 24 0:27 / /my\\040groups/memory rw - cgroup none rw,memory

      """
    files["/my groups/cpu/job/cpu.cfs_quota_us"] = "250000\n"
    files["/my groups/cpu/job/cpu.cfs_period_us"] = "100000\n"
    files["/my groups/memory/docker/memory.limit_in_bytes"] = "4096\n"
    #expect(groups(files).cores == 3)
    #expect(groups(files).memoryBytes == 4096)
  }

  @Test func `a folder in the usual place counts even where the mounts do not name it`() {
    let files = ["/proc/self/cgroup": "0::/x\n", "/sys/fs/cgroup/x/cpu.max": "100000 100000\n"]
    #expect(groups(files).cores == 1)
    #expect(groups(["/sys/fs/cgroup/cpu.max": "200000 100000\n"]).cores == 2)
    #expect(
      groups([
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
      ]).cores == 1)
  }

  @Test func `what is left of the memory does not count files that can be dropped`() {
    var files = Self.legacy
    files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "1000000\n"
    files["/sys/fs/cgroup/memory/memory.usage_in_bytes"] = "900000\n"
    files["/sys/fs/cgroup/memory/memory.stat"] = "cache 5\ninactive_file 1\ntotal_inactive_file 600000\n"
    #expect(groups(files).memoryBytes == 1_000_000)
    #expect(groups(files).memoryBytesLeft == 700_000)

    files = Self.unified
    files["/sys/fs/cgroup/memory.max"] = "1000000\n"
    files["/sys/fs/cgroup/memory.current"] = "900000\n"
    #expect(groups(files).memoryBytesLeft == 100_000)
    files["/sys/fs/cgroup/memory.stat"] = "anon 1\ninactive_file 200000\n"
    #expect(groups(files).memoryBytesLeft == 300_000)
    files["/sys/fs/cgroup/memory.current"] = "1900000\n"
    #expect(groups(files).memoryBytesLeft == 0)
  }

  @Test func `no limit is no limit`() {
    var files = Self.legacy
    files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
    #expect(groups(files).memoryBytes == nil)
    #expect(groups([:]).cores == nil)
    #expect(groups([:]).memoryBytes == nil)
    #expect(groups([:]).memoryBytesLeft == nil)
  }

  @Test func `lines that make no sense say nothing`() {
    let files = [
      "/proc/self/cgroup": "\n:\n0:/\n::::\n",
      "/proc/self/mountinfo": "- cgroup2\n1 2 3 4 5 6 - cgroup2\n \n",
    ]
    #expect(groups(files).cores == nil)
    #expect(CPU.availableCores >= 1)
  }

  @Test func `the time that the own group has used is that of either version`() {
    var files = Self.unified
    files["/sys/fs/cgroup/cpu.stat"] = "usage_usec 1500\nuser_usec 1000\n"
    #expect(groups(files).busyNanoseconds == 1_500_000)
    files = Self.legacy
    files["/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage"] = "77\n"
    #expect(groups(files).busyNanoseconds == 77)
    #expect(groups([:]).busyNanoseconds == nil)
  }

  @Test func `the load is the group's where that has a quota, else the machine's`() throws {
    var files = Self.unified
    files["/proc/stat"] = "cpu  10 0 20 400 70 0 0 0 0 0\ncpu0 5 0 10 200 35 0\ncpu1 5 0 10 200 35 0\n"
    files["/sys/fs/cgroup/cpu.stat"] = "usage_usec 1500\n"
    let machine = try #require(MachineLoad(read: { files[$0] }, cores: 1))
    #expect(machine.busyNanoseconds == 300_000_000 && machine.cores == 2)
    files["/sys/fs/cgroup/cpu.max"] = "100000 100000\n"
    let group = try #require(MachineLoad(read: { files[$0] }, cores: 1))
    #expect(group.busyNanoseconds == 1_500_000 && group.cores == 1)
    #expect(MachineLoad(read: { _ in nil }, cores: 1) == nil)
  }

  @Test func `the share of the cores is what was used of what there was`() {
    let first = MachineLoad(busyNanoseconds: 100, atNanoseconds: 1_000, cores: 2)
    let later = MachineLoad(busyNanoseconds: 600, atNanoseconds: 2_000, cores: 2)
    #expect(later.share(since: first) == 0.25)
    #expect(first.share(since: later) == nil && first.share(since: first) == nil)
    let busy = MachineLoad(busyNanoseconds: 9_000, atNanoseconds: 2_000, cores: 2)
    #expect(busy.share(since: first) == 1)
  }
}
