import Glibc

/// Which content a file has, as far as the file system tells without reading it: another one after every
/// write or replacement.
package struct FileIdentity: Equatable, Sendable {
  package let inode: UInt64
  package let bytes: Int
  /// When the content was changed last.
  package let modified: FileTime
  /// When the file itself was changed last, which no program can set back as it can `modified`.
  package let changed: FileTime

  /// The file at a path, links followed; nil without one.
  package init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// An open file.
  package init(of file: File) throws(SystemError) { self.init(try file.status()) }

  fileprivate init(_ status: stat) {
    inode = UInt64(status.st_ino)
    bytes = Int(status.st_size)
    modified = FileTime(status)
    changed = FileTime(
      unixSeconds: Int(status.st_ctim.tv_sec), nanoseconds: Int(status.st_ctim.tv_nsec))
  }
}

/// A regular file below a folder, found by a path from outside that is not trusted.
package struct ConfinedFile: Sendable {
  package let file: File
  package let identity: FileIdentity

  /// Opens a file if it is a regular one and lies below `root` after every link has been followed.
  ///
  /// The check is made on the open file (`/proc/self/fd`), so no change of links in between gets past it.
  ///
  /// - Parameters:
  ///   - root: an absolute path without links, as `FileSystem.resolve` gives it.
  ///   - relativePath: without a slash in front.
  package init?(root: String, relativePath: String) {
    // Whatever is wrong with such a path, there is no file to give.
    guard let file = try? File("\(root)/\(relativePath)", .read), let status = try? file.status(),
      let place = try? FileSystem.resolve("/proc/self/fd/\(file.descriptor)"),
      place.hasPrefix(root.hasSuffix("/") ? root : root + "/")
    else { return nil }
    self.file = file
    identity = FileIdentity(status)
  }
}
