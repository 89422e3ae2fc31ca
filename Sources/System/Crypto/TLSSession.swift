import COpenSSL

/// TLS on one connection whose socket does not block; the server's side. To be used by one thread at a time,
/// which need not be the same each time.
///
/// Unchecked because that is its users' promise: a handshake is handed to a thread and back.
package final class TLSSession: @unchecked Sendable {
  private let handle: OpaquePointer

  /// What came of an attempt to move bytes.
  package enum Transfer: Equatable, Sendable {
    /// So many bytes, at least one.
    case moved(Int)
    /// Nothing until the socket is ready again, in whichever direction.
    case wouldBlock
    /// Nothing ever again.
    case ended
  }

  /// How far a handshake has come.
  package enum Handshake: Equatable, Sendable {
    case done
    /// It goes on when the socket has something to read.
    case needsInput
    /// It goes on when the socket takes something.
    case needsOutput
    /// The client wants what this server does not offer, does not speak TLS or has gone.
    case failed
  }

  /// Nothing is sent before the first `handshake`.
  ///
  /// - Parameter descriptor: the socket, which outlives the session and stays its owner's.
  package init(_ context: TLSContext, descriptor: Int32) throws(CryptoError) {
    ERR_clear_error()
    guard let handle = SSL_new(context.handle) else { throw CryptoError.last("start TLS") }
    self.handle = handle
    guard SSL_set_fd(handle, descriptor) == 1 else { throw CryptoError.last("start TLS") }
    SSL_set_accept_state(handle)
  }

  deinit { SSL_free(handle) }

  /// Goes on with the handshake as far as the client's bytes reach. Signing with the server's key takes up to
  /// some milliseconds.
  package func handshake() -> Handshake {
    ERR_clear_error()
    let result = SSL_do_handshake(handle)
    if result == 1 { return .done }
    switch SSL_get_error(handle, result) {
    case SSL_ERROR_WANT_READ: return .needsInput
    case SSL_ERROR_WANT_WRITE: return .needsOutput
    default: return .failed
    }
  }

  /// Reads into the front of a buffer.
  package func read(into buffer: inout [UInt8]) -> Transfer {
    ERR_clear_error()
    return outcome(
      buffer.withUnsafeMutableBytes { SSL_read(handle, $0.baseAddress, Int32(clamping: $0.count)) })
  }

  /// Writes bytes from an offset on. After `wouldBlock` the same bytes must come again.
  package func write(_ bytes: [UInt8], from offset: Int) -> Transfer {
    ERR_clear_error()
    return outcome(
      bytes.withUnsafeBytes {
        SSL_write(handle, $0.baseAddress?.advanced(by: offset), Int32(clamping: $0.count - offset))
      })
  }

  /// Says that nothing more will be sent (`close_notify`), as far as the socket takes it now.
  package func sendClosing() {
    ERR_clear_error()
    // In the middle of a handshake there is nothing to close.
    if SSL_is_init_finished(handle) == 1 { SSL_shutdown(handle) }
  }

  private func outcome(_ count: Int32) -> Transfer {
    if count > 0 { return .moved(Int(count)) }
    switch SSL_get_error(handle, count) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wouldBlock
    default: return .ended
    }
  }
}
