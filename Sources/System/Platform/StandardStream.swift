import Glibc

/// Standard output and standard error, unbuffered: one `write(2)` a text, so that lines of several threads
/// stay whole.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Whether the stream goes to the file at a path.
  package func isFile(_ path: String) throws(SystemError) -> Bool {
    var (own, other) = (stat(), stat())
    try retrying("stat", "descriptor \(rawValue)") { fstat(rawValue, &own) }
    try retrying("stat", path) { stat(path, &other) }
    return own.st_ino == other.st_ino && own.st_dev == other.st_dev
  }

  /// Has both streams append to a file from now on.
  package static func appendBoth(to path: String) throws(SystemError) {
    let file = try File(path, .append, links: .refused)
    for stream in [output, error] {
      try retrying("redirect to", path) { dup2(file.descriptor, stream.rawValue) }
    }
  }

  /// Writes a text. One that cannot be written is lost: there is nowhere left to say so.
  package func write(_ text: String) {
    var text = text
    text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
  }

  /// Writes bytes, as a text.
  package func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes(write) }

  private func write(_ bytes: UnsafeRawBufferPointer) {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(rawValue, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return }
      written += count
    }
  }
}
