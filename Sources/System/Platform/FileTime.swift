import Glibc

/// When a file was changed, as the file system has it: seconds and nanoseconds apart, since both as one
/// number overflow from the year 2262 on.
package struct FileTime: Equatable, Hashable, Sendable, Comparable {
  /// Seconds since 1970-01-01 UTC; negative before.
  package let unixSeconds: Int
  /// Nanoseconds after that second, 0 to 999,999,999.
  package let nanoseconds: Int

  package init(unixSeconds: Int, nanoseconds: Int) {
    self.unixSeconds = unixSeconds
    self.nanoseconds = nanoseconds
  }

  /// The time of the last change of the content.
  init(_ status: stat) {
    self.init(unixSeconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec))
  }

  package static func < (a: FileTime, b: FileTime) -> Bool {
    (a.unixSeconds, a.nanoseconds) < (b.unixSeconds, b.nanoseconds)
  }
}
