import Glibc

/// An open file. The descriptor is closed on `exec` and when the last reference goes.
///
/// May be used from several threads; those that share the kernel's position have to order themselves.
package final class File: Sendable {
  /// How a file is opened.
  package enum Mode: Sendable {
    /// Reads an existing file.
    case read
    /// Reads an existing file; opening a pipe does not wait for its writer.
    case readWithoutWaiting
    /// Writes at the end, whoever else writes; created if missing.
    case append
    /// Reads and writes; created if missing, never truncated.
    case readWrite
    /// Writes a file that must not exist yet.
    case createNew
    /// As `createNew`, for its owner's eyes only.
    case createPrivate
  }

  package let path: String
  package let descriptor: Int32

  /// - Throws: `SystemError` (`open`).
  package init(_ path: String, _ mode: Mode) throws(SystemError) {
    let flags: Int32 =
      switch mode {
      case .read: O_RDONLY
      case .readWithoutWaiting: O_RDONLY | O_NONBLOCK | O_NOCTTY
      case .append: O_WRONLY | O_APPEND | O_CREAT
      case .readWrite: O_RDWR | O_CREAT
      case .createNew, .createPrivate: O_WRONLY | O_CREAT | O_EXCL
      }
    let permissions: mode_t = mode == .createPrivate ? 0o600 : 0o644
    self.path = path
    self.descriptor = try retrying("open", path) { open(path, flags | O_CLOEXEC, permissions) }
  }

  deinit { close(descriptor) }

  /// Size in bytes, now.
  package func size() throws(SystemError) -> Int {
    var status = stat()
    try retrying("stat", path) { fstat(descriptor, &status) }
    return Int(status.st_size)
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

  /// The whole content from the start.
  package func readAll() throws(SystemError) -> [UInt8] { try read(at: 0, countMax: size()) }

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
}
