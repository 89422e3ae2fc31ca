import Glibc

/// Standard output and standard error, unbuffered: one `write(2)` a text, so that lines of several threads
/// stay whole.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Writes a text. One that cannot be written is lost: there is nowhere left to say so.
  package func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var written = 0
      while written < bytes.count {
        let count = Glibc.write(rawValue, bytes.baseAddress?.advanced(by: written), bytes.count - written)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return }
        written += count
      }
    }
  }
}
