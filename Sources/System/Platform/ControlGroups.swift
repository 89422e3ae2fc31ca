/// The limits that Linux control groups (cgroups) set for this process: those of its own group and of every
/// group above it, in version 2 and in version 1.
///
/// A container's CPU quota and memory limit are such limits. Where the kernel's files cannot be read, there
/// is no limit.
package struct ControlGroups {
  /// The text of a file; `nil`: it cannot be read.
  private let read: (_ path: String) -> String?

  /// Reads the kernel's files by `read`.
  package init(read: @escaping (_ path: String) -> String? = ControlGroups.text) { self.read = read }

  /// Cores' worth of time that the process may use, rounded up, at least 1; `nil`: no limit.
  package var cores: Int? {
    let unified = folders(.unified).compactMap { folder in
      read("\(folder)/cpu.max").flatMap(Self.coresOfUnified)
    }
    let legacy = folders(.legacy("cpu")).compactMap { folder -> Int? in
      guard let quota = number("\(folder)/cpu.cfs_quota_us"),
        let period = number("\(folder)/cpu.cfs_period_us")
      else { return nil }
      return Self.cores(quota: quota, period: period)
    }
    return (unified + legacy).min()
  }

  /// Nanoseconds of one core that the process's own group has used; `nil`: the kernel does not say.
  package var busyNanoseconds: UInt64? {
    // The last folder that there is is that of the process's own group.
    let unified = folders(.unified).reversed().lazy.compactMap { read("\($0)/cpu.stat") }.first
    if let microseconds = unified.flatMap({ Self.value(of: "usage_usec", in: $0) }) {
      return UInt64(clamping: microseconds) &* 1000
    }
    let legacy = folders(.legacy("cpuacct")).reversed().lazy.compactMap { number("\($0)/cpuacct.usage") }
      .first
    return legacy.map { UInt64(clamping: $0) }
  }

  /// Bytes of memory that the process may use together with all others in its groups; `nil`: no limit.
  package var memoryBytes: Int? { memoryLimits.map(\.limit).min() }

  /// Bytes that are left of them; `nil`: no limit. What the kernel can drop at once (files that were read or
  /// written and not used since) does not count as used.
  package var memoryBytesLeft: Int? {
    memoryLimits.compactMap { limit in limit.used.map { max(0, limit.limit - $0) } }.min()
  }

  // MARK: - Files of a group

  private struct MemoryLimit {
    let limit: Int
    let used: Int?
  }

  private var memoryLimits: [MemoryLimit] {
    let unified = folders(.unified).compactMap {
      memoryLimit($0, limit: "memory.max", usage: "memory.current", droppable: "inactive_file")
    }
    let legacy = folders(.legacy("memory")).compactMap {
      memoryLimit(
        $0, limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes", droppable: "total_inactive_file")
    }
    return unified + legacy
  }

  /// Version 1 writes "no limit" as the largest multiple of a page in 63 bits.
  private static let limitBytesMax = 1 << 62

  private func memoryLimit(
    _ folder: String, limit: String, usage: String, droppable: String
  ) -> MemoryLimit? {
    guard let limit = number("\(folder)/\(limit)"), limit >= 0, limit < Self.limitBytesMax else { return nil }
    let dropped = read("\(folder)/memory.stat").flatMap { Self.value(of: droppable, in: $0) } ?? 0
    return MemoryLimit(limit: limit, used: number("\(folder)/\(usage)").map { max(0, $0 - dropped) })
  }

  private func number(_ path: String) -> Int? {
    read(path).flatMap { Int($0.prefix { $0 != "\n" }) }
  }

  /// `NAME NUMBER` among the lines of a text.
  private static func value(of name: String, in text: String) -> Int? {
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count == 2, fields[0] == name { return Int(fields[1]) }
    }
    return nil
  }

  /// `cpu.max`: `QUOTA PERIOD` in microseconds, or `max PERIOD`.
  private static func coresOfUnified(_ text: String) -> Int? {
    let fields = text.split { $0 == " " || $0 == "\n" }.map { Int($0) }
    guard fields.count == 2, let quota = fields[0], let period = fields[1] else { return nil }
    return cores(quota: quota, period: period)
  }

  private static func cores(quota: Int, period: Int) -> Int? {
    // A quota of −1 in version 1 is none.
    quota > 0 && period > 0 ? max(1, (quota - 1) / period + 1) : nil
  }

  // MARK: - Where the groups of this process lie

  /// A tree of groups.
  private enum Tree {
    /// Version 2.
    case unified
    /// The one of a controller in version 1.
    case legacy(String)

    /// Where it is usually mounted: for a process that cannot see its mounts, or whose mounts are made up of
    /// parts of other file systems.
    var usualFolders: [String] {
      switch self {
      case .unified: ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
      case .legacy("cpu"): ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"]
      case .legacy("cpuacct"): ["/sys/fs/cgroup/cpuacct", "/sys/fs/cgroup/cpu,cpuacct"]
      case .legacy(let controller): ["/sys/fs/cgroup/\(controller)"]
      }
    }
  }

  /// A place where a tree can be read, from the group `root` down.
  private struct Mount {
    let folder: String
    let root: String
  }

  /// The folders of this process's group and of all groups above it, as far as they are mounted.
  private func folders(_ tree: Tree) -> [String] {
    let group = group(in: tree)
    let mounts = mounts(of: tree) + tree.usualFolders.map { Mount(folder: $0, root: "/") }
    var folders: [String] = []
    for mount in mounts {
      var folder = mount.folder
      for name in [""] + Self.path(group, below: mount.root) {
        if !name.isEmpty { folder += "/\(name)" }
        if !folders.contains(folder) { folders.append(folder) }
      }
    }
    return folders
  }

  /// The path of this process's group: `/proc/self/cgroup` has lines `NUMBER:CONTROLLERS:PATH`.
  private func group(in tree: Tree) -> String {
    for line in (read("/proc/self/cgroup") ?? "").split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      switch tree {
      case .unified where fields[0] == "0" && fields[1].isEmpty: return String(fields[2])
      case .legacy(let controller) where fields[1].split(separator: ",").contains(Substring(controller)):
        return String(fields[2])
      default: continue
      }
    }
    return "/"
  }

  /// `/proc/self/mountinfo`: `ID PARENT DEVICE ROOT FOLDER OPTIONS… - TYPE SOURCE OPTIONS`, see proc(5).
  private func mounts(of tree: Tree) -> [Mount] {
    (read("/proc/self/mountinfo") ?? "").split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ").map { String($0) }
      guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count >= dash + 4 else { return nil }
      let isOfTree =
        switch tree {
        case .unified: fields[dash + 1] == "cgroup2"
        case .legacy(let controller):
          fields[dash + 1] == "cgroup"
            && fields[dash + 3].split(separator: ",").contains(Substring(controller))
        }
      return isOfTree ? Mount(folder: Self.unescaped(fields[4]), root: Self.unescaped(fields[3])) : nil
    }
  }

  /// The names on the way from the group `root` to `group`; none where the one is not below the other.
  private static func path(_ group: String, below root: String) -> [String] {
    let names = group.split(separator: "/").map { String($0) }
    let above = root.split(separator: "/").map { String($0) }
    guard names.starts(with: above), !names.contains("..") else { return [] }
    return Array(names.dropFirst(above.count))
  }

  /// Space, tab, line feed and backslash stand as `\` and three octal digits.
  private static func unescaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Most bytes of one of the kernel's files that are read.
  private static let fileBytesMax = 1 << 20

  /// The text of a file on this machine. The kernel's files have no size to read by.
  package static func text(_ path: String) -> String? {
    // A file that is not there or may not be read says nothing.
    guard let bytes = try? File(path, .read).read(at: 0, countMax: fileBytesMax) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
