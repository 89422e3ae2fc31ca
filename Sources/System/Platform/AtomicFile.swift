import Glibc

/// A file that appears under its name whole or not at all: written beside it, synced, renamed, and the folder
/// synced.
///
/// A process that dies in between leaves `<name>.tmp-<pid>` behind, which no reader takes for the file
/// and which the next writer of the same name and process id replaces.
package final class AtomicFile {
  private let path: String
  private let temporary: String
  private let file: File
  private var isCommitted = false

  /// Creates the temporary file in the folder of `path`; nobody but its owner may read it.
  package init(_ path: String) throws(SystemError) {
    self.path = path
    temporary = "\(path)\(AtomicFile.mark)\(getpid())"
    unlink(temporary)
    file = try File(temporary, .createNew, links: .refused)
  }

  deinit { if !isCommitted { unlink(temporary) } }

  /// Appends bytes to the temporary file.
  package func write(_ bytes: [UInt8]) throws(SystemError) { try file.write(bytes) }

  /// Makes the file durable under its name, replacing an older one.
  package func commit() throws(SystemError) {
    try file.sync()
    try FileSystem.rename(temporary, to: path)
    isCommitted = true
    try FileSystem.syncDirectory(FileSystem.parent(of: path))
  }

  /// Writes a whole file at once.
  package static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
    let file = try AtomicFile(path)
    try file.write(bytes)
    try file.commit()
  }

  /// Whether a file name is that of an unfinished write.
  package static func isTemporary(_ name: String) -> Bool { name.contains(mark) }

  private static let mark = ".tmp-"
}
