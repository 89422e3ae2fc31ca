import Glibc

/// Names in the file system: folders, listings, sizes, links.
package enum FileSystem {
  /// Whether something readable by `stat` has that path.
  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether a folder has that path.
  package static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Size in bytes of the file at a path.
  package static func size(_ path: String) throws(SystemError) -> Int {
    var status = stat()
    try retrying("stat", path) { stat(path, &status) }
    return Int(status.st_size)
  }

  /// Size in bytes of the regular file at a path; `nil` for anything else, a link among it.
  package static func regularFileSize(_ path: String) -> Int? {
    var status = stat()
    guard lstat(path, &status) == 0, FileKind(status) == .regular else { return nil }
    return Int(status.st_size)
  }

  /// When the content of the file at a path was changed last.
  package static func modificationTime(_ path: String) throws(SystemError) -> FileTime {
    var status = stat()
    try retrying("stat", path) { stat(path, &status) }
    return FileTime(status)
  }

  /// Who may do what with a file or folder: the twelve permission bits of `chmod(2)`.
  package static func permissions(_ path: String) throws(SystemError) -> Int {
    var status = stat()
    try retrying("stat", path) { stat(path, &status) }
    return Int(status.st_mode & 0o7777)
  }

  /// Has every file and folder that this process and its children create be their owner's alone
  /// (`umask(2)`).
  package static func keepNewFilesPrivate() { umask(0o077) }

  /// Bytes that a process without privileges may still write to the file system of a path.
  package static func freeBytes(_ path: String) throws(SystemError) -> Int {
    var status = statvfs()
    try retrying("ask the space of", path) { statvfs(path, &status) }
    // A file system may claim any two numbers.
    return Int(clamping: UInt64(status.f_bavail).multipliedClamping(by: UInt64(status.f_frsize)))
  }

  /// Bytes that the file system of a path has in all.
  package static func totalBytes(_ path: String) throws(SystemError) -> Int {
    var status = statvfs()
    try retrying("ask the space of", path) { statvfs(path, &status) }
    return Int(clamping: UInt64(status.f_blocks).multipliedClamping(by: UInt64(status.f_frsize)))
  }

  /// The names in a folder, sorted, without `.` and `..`.
  package static func list(_ path: String) throws(SystemError) -> [String] {
    guard let directory = opendir(path) else { throw SystemError.last("list", path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes a folder and the missing ones above it, for their owner alone; an existing one is no error.
  package static func makeDirectories(_ path: String) throws(SystemError) {
    if isDirectory(path) { return }
    let above = parent(of: path)
    if above != path { try makeDirectories(above) }
    if mkdir(path, 0o700) != 0 && errno != EEXIST { throw SystemError.last("make folder", path) }
    try syncDirectory(above)
  }

  /// Renames within a file system, replacing what was there.
  package static func rename(_ old: String, to new: String) throws(SystemError) {
    try retrying("rename", old) { Glibc.rename(old, new) }
  }

  /// Gives a file a second name in the same file system, under which it stays when the first one is removed.
  package static func link(_ old: String, to new: String) throws(SystemError) {
    try retrying("link", old) { Glibc.link(old, new) }
  }

  /// Removes a file; a missing one is no error.
  package static func remove(_ path: String) throws(SystemError) {
    if unlink(path) != 0 && errno != ENOENT { throw SystemError.last("remove", path) }
  }

  /// Removes a folder with everything in it; a missing one is no error. Links are removed, never followed.
  package static func removeTree(_ path: String) throws(SystemError) {
    var status = stat()
    if lstat(path, &status) != 0 {
      if errno == ENOENT { return }
      throw SystemError.last("remove", path)
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { return try remove(path) }
    for name in try list(path) { try removeTree("\(path)/\(name)") }
    if rmdir(path) != 0 && errno != ENOENT { throw SystemError.last("remove", path) }
  }

  /// Makes the names in a folder durable (`fsync` on it).
  package static func syncDirectory(_ path: String) throws(SystemError) {
    let folder = try retrying("open", path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    defer { close(folder) }
    try retrying("sync", path) { fsync(folder) }
  }

  /// The folder part of a path: `/` of `/a`, `.` of `a`.
  package static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The absolute path without links and dots.
  package static func resolve(_ path: String) throws(SystemError) -> String {
    guard let resolved = realpath(path, nil) else { throw SystemError.last("resolve", path) }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// The binary that this process runs.
  package static func executablePath() throws(SystemError) -> String { try resolve("/proc/self/exe") }

  /// The folder for temporary files: `TMPDIR`, or `/tmp`.
  package static var temporaryDirectory: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }
}

extension UInt64 {
  /// The product, or the largest number where it does not fit.
  fileprivate func multipliedClamping(by other: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
