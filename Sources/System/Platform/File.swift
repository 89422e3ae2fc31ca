import Glibc

/// An open regular file. The descriptor is closed on `exec` and when the last reference goes.
///
/// A pipe, a socket, a device or a folder is refused when it is opened, and opening never waits for anybody:
/// a name in a folder that others can write to is not believed to be what it was.
/// May be used from several threads; those that share the kernel's position have to order themselves.
package final class File: Sendable {
  /// How a file is opened.
  package enum Mode: Sendable {
    /// Reads an existing file.
    case read
    /// Writes at the end, whoever else writes; created if missing.
    case append
    /// Reads and writes; created if missing, never truncated.
    case readWrite
    /// Writes a file that must not exist yet.
    case createNew
  }

  /// What is done about a path whose last name is a symbolic link.
  package enum Links: Sendable {
    /// The file that it leads to is opened.
    case followed
    /// It is an error: this program wrote the file itself, and it writes no links.
    case refused
  }

  package let path: String
  package let descriptor: Int32

  /// Only its owner may read or write a file that this creates.
  private static let permissions: mode_t = 0o600
  /// Bytes that are read at a time where the size is not known.
  private static let pieceBytes = 64 << 10

  /// - Throws: `SystemError` (`open`), also for what is not a regular file.
  package init(_ path: String, _ mode: Mode, links: Links = .followed) throws(SystemError) {
    var flags: Int32 =
      switch mode {
      case .read: O_RDONLY
      case .append: O_WRONLY | O_APPEND | O_CREAT
      case .readWrite: O_RDWR | O_CREAT
      case .createNew: O_WRONLY | O_CREAT | O_EXCL
      }
    if links == .refused { flags |= O_NOFOLLOW }
    self.path = path
    do throws(SystemError) {
      // Without O_NONBLOCK, opening a FIFO waits for whoever opens its other end; on a regular file it means
      // nothing.
      descriptor = try retrying("open", path) {
        open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, File.permissions)
      }
    } catch {
      // A FIFO, a socket, a link or a folder fails with an error number of its own: the kind says more.
      let isOdd = [ENXIO, ELOOP, EISDIR].contains(error.errno)
      guard isOdd, let kind = FileKind(path: path, links: links), kind != .regular else { throw error }
      throw File.refusal(path, kind, errno: error.errno)
    }
    let kind: FileKind
    do throws(SystemError) {
      kind = FileKind(try File.status(descriptor, path))
    } catch {
      close(descriptor)
      throw error
    }
    guard kind == .regular else {
      close(descriptor)
      throw File.refusal(path, kind, errno: EINVAL)
    }
  }

  deinit { close(descriptor) }

  /// Size in bytes, now.
  package func size() throws(SystemError) -> Int { Int(try status().st_size) }

  /// Gives nobody but the owner access, if somebody else has any and the file is this user's.
  package func restrictToOwner() throws(SystemError) {
    let status = try status()
    guard status.st_uid == geteuid(), status.st_mode & 0o077 != 0 else { return }
    try retrying("restrict", path) { fchmod(descriptor, File.permissions) }
  }

  /// Up to `countMax` bytes from a byte offset, without moving the position; fewer only at the end of the
  /// file.
  package func read(at offset: Int, countMax: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: countMax)
    var filled = 0
    while filled < countMax {
      let count = try retrying("read", path) {
        bytes.withUnsafeMutableBytes { buffer in
          pread(
            descriptor, buffer.baseAddress?.advanced(by: filled), countMax - filled, off_t(offset + filled))
        }
      }
      if count == 0 { break }
      filled += count
    }
    bytes.removeLast(countMax - filled)
    return bytes
  }

  /// The whole content from the start, in memory that grows with what comes.
  ///
  /// - Throws: `SystemError` (`read`), also for a file with more bytes than the limit allows.
  package func readAll(_ limit: ReadLimit = .other) throws(SystemError) -> [UInt8] {
    let size = try size()
    var bytes: [UInt8] = []
    // The kernel's own files have the size 0, and others may grow while they are read.
    while size <= limit.bytesMax, bytes.count <= limit.bytesMax {
      let known = max(size - bytes.count, 0) + 1
      let countMax = min(max(known, File.pieceBytes), limit.bytesMax + 1 - bytes.count)
      let piece = try read(at: bytes.count, countMax: countMax)
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
      if piece.count < countMax { return bytes }
    }
    throw SystemError.tooLarge(
      "read", path, "a \(limit.kind) may have at most \(limit.bytesMax) bytes, this one has more")
  }

  /// The whole content of the file at a path, which has to be of that kind.
  ///
  /// - Throws: `SystemError`, also for what is not a regular file or is larger than the limit allows.
  package static func content(of path: String, _ limit: ReadLimit) throws(SystemError) -> [UInt8] {
    try File(path, .read, links: limit.links).readAll(limit)
  }

  /// Writes every byte at the current position (at the end in mode `append`).
  ///
  /// One `write(2)` where the kernel takes all at once, as it does for regular files short of a full disk.
  package func write(_ bytes: [UInt8]) throws(SystemError) {
    try write(bytes[...])
  }

  /// Writes every byte of a slice at the current position.
  package func write(_ bytes: ArraySlice<UInt8>) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      written += try retrying("write", path) {
        bytes.withUnsafeBytes {
          Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
        }
      }
    }
  }

  /// Writes every byte from a byte offset on, without moving the position.
  ///
  /// One `pwrite(2)` where the kernel takes all at once.
  package func write(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      written += try retrying("write", path) {
        bytes.withUnsafeBytes {
          pwrite(
            descriptor, $0.baseAddress?.advanced(by: written), $0.count - written, off_t(offset + written))
        }
      }
    }
  }

  /// Shortens or extends the file to a size in bytes.
  package func truncate(to size: Int) throws(SystemError) {
    try retrying("truncate", path) { ftruncate(descriptor, off_t(size)) }
  }

  /// Returns when content and size are on the disk (`fsync`).
  package func sync() throws(SystemError) {
    try retrying("sync", path) { fsync(descriptor) }
  }

  /// What the kernel knows of the open file.
  func status() throws(SystemError) -> stat { try File.status(descriptor, path) }

  private static func status(_ descriptor: Int32, _ path: String) throws(SystemError) -> stat {
    var status = stat()
    try retrying("stat", path) { fstat(descriptor, &status) }
    return status
  }

  private static func refusal(_ path: String, _ kind: FileKind, errno: Int32) -> SystemError {
    SystemError(
      operation: "open", subject: path, errno: errno,
      detail: "it is \(kind.rawValue), must be a regular file")
  }
}
