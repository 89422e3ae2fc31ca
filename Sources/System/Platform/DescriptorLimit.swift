import Glibc

/// How many descriptors this process may have open.
package enum DescriptorLimit {
  /// Raises the soft limit to the hard one and returns what then holds. Nothing here uses `select(2)`, which
  /// is what low soft limits are for.
  @discardableResult
  package static func raise() -> Int {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
  }

  /// Descriptors that are open now, among the lowest ones, which are those that a process inherits.
  package static var inheritedCount: Int {
    (0..<inheritedMax).count { fcntl($0, F_GETFD) != -1 }
  }

  private static let inheritedMax: Int32 = 1_024

  /// Opens as many more descriptors as are asked for and closes them again.
  ///
  /// - Throws: `SystemError` (`open`) if there are fewer.
  package static func probe(_ count: Int) throws(SystemError) {
    var opened: [Int32] = []
    defer { for descriptor in opened { close(descriptor) } }
    for _ in 0..<count {
      opened.append(try retrying("open", "/dev/null") { open("/dev/null", O_RDONLY | O_CLOEXEC) })
    }
  }
}
