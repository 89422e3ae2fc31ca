import Glibc

/// A regular file below a folder, found by a path from outside that is not trusted.
package struct ConfinedFile: Sendable {
  package let file: File
  package let bytes: Int
  /// Nanoseconds since 1970 of the last change of its content.
  package let modifiedNanoseconds: Int
  package let inode: UInt64

  /// Opens a file if it is a regular one and lies below `root` after every link has been followed; nil if not.
  ///
  /// The check is made on the open file (`/proc/self/fd`), so that no change of links in between gets past it.
  ///
  /// - Parameters:
  ///   - root: an absolute path without links, as `FileSystem.resolve` gives it.
  ///   - relativePath: without a slash in front.
  package init?(root: String, relativePath: String) {
    // Whatever is wrong with such a path, there is no file to give.
    guard let file = try? File("\(root)/\(relativePath)", .readWithoutWaiting) else { return nil }
    var status = stat()
    guard fstat(file.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      let place = try? FileSystem.resolve("/proc/self/fd/\(file.descriptor)"),
      place.hasPrefix(root.hasSuffix("/") ? root : root + "/")
    else { return nil }
    self.file = file
    bytes = Int(status.st_size)
    modifiedNanoseconds = Int(status.st_mtim.tv_sec) * 1_000_000_000 + Int(status.st_mtim.tv_nsec)
    inode = UInt64(status.st_ino)
  }
}
