import Crypto
import Platform
import Synchronization

/// The certificate that new connections are shown; nil for a server without TLS.
final class CurrentCertificate: Sendable {
  private let context: Mutex<TLSContext?>
  /// Whether connections are TLS.
  let isSecure: Bool

  init(_ context: TLSContext?) {
    self.context = Mutex(context)
    isSecure = context != nil
  }

  /// From now on another certificate is shown; connections that are open keep theirs.
  func replace(by new: TLSContext) { context.withLock { $0 = new } }

  /// TLS for a new connection.
  func session(for socket: Socket) throws(CryptoError) -> TLSSession? {
    guard let context = context.withLock({ $0 }) else { return nil }
    return try TLSSession(context, descriptor: socket.descriptor)
  }
}
