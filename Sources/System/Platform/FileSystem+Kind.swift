import Glibc

extension FileSystem {
  /// Whether a regular file has that path, links followed: not a folder, a pipe or a device.
  package static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }
}
