import Glibc

/// Who may do what with a file, as `chmod` writes it.
package struct FilePermissions: Equatable, Sendable {
  /// The permission bits, such as 0o640.
  package let bits: UInt32

  /// Those of the file at a path, links followed.
  ///
  /// - Throws: `SystemError` (`stat`).
  package init(path: String) throws(SystemError) {
    var status = stat()
    try retrying("stat", path) { stat(path, &status) }
    bits = UInt32(status.st_mode) & 0o7777
  }

  /// Whether every user of the machine may read it.
  package var allowsOthersToRead: Bool { bits & 0o004 != 0 }

  /// Whether any user but the owner may change it.
  package var allowsOthersToWrite: Bool { bits & 0o022 != 0 }

  /// Four octal digits.
  package var octal: String {
    let digits = String(bits, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
  }
}
