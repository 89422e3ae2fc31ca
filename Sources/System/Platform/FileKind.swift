import Glibc

/// What a name in the file system stands for.
package enum FileKind: String, Sendable, Equatable {
  case regular = "a regular file"
  case folder = "a folder"
  case pipe = "a FIFO (named pipe)"
  case socket = "a socket"
  case device = "a device"
  case link = "a symbolic link"
  case unknown = "of an unknown kind"

  init(_ status: stat) {
    self =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      case S_IFCHR, S_IFBLK: .device
      case S_IFLNK: .link
      default: .unknown
      }
  }

  /// What a path names; `nil`: nothing that can be looked at.
  package init?(path: String, links: File.Links) {
    var status = stat()
    guard (links == .followed ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    self.init(status)
  }
}
