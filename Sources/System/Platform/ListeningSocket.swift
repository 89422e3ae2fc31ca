import CLinux
import Glibc

/// A socket that takes connections on an address.
package final class ListeningSocket: Sendable {
  package let descriptor: Int32
  /// The port that it is bound to.
  package let port: Int

  /// What came of an attempt to take a connection.
  package enum Acceptance: Sendable {
    /// A connection that does not block.
    case connection(Socket)
    /// Nobody waits.
    case none
    /// This process or machine has no descriptor or memory left for one
    /// (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`).
    case exhausted
  }

  /// Binds and listens without blocking.
  ///
  /// - Parameters:
  ///   - host: an IPv4 or IPv6 address, or `localhost`.
  ///   - port: 0 for any free one.
  ///   - backlog: connections that the kernel keeps until they are accepted.
  package init(host: String, port: Int, backlog: Int32 = 1_024) throws(SystemError) {
    var address = try SocketAddress(host: host, port: port)
    let subject = "\(host):\(port)"
    let descriptor = try retrying("open a socket for", subject) { clinux_stream_socket(address.family, 1) }
    var on: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    do {
      try retrying("listen on", subject) { address.withPointer { bind(descriptor, $0, $1) } }
      try retrying("listen on", subject) { listen(descriptor, backlog) }
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.port = SocketAddress(localOf: descriptor).port
  }

  deinit { close(descriptor) }

  /// Takes a connection that waits, if there is one; a connection that broke while it waited is passed over.
  package func accept() -> Acceptance {
    while true {
      var address = SocketAddress()
      let descriptor = address.withMutablePointer { clinux_accept(self.descriptor, $0, $1) }
      if descriptor >= 0 {
        // Answers are written whole, so waiting for more bytes to share a packet only delays them.
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        // A client that has vanished without a word is found out while a stream has nothing to send.
        setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, socklen_t(MemoryLayout<Int32>.size))
        var idleSeconds: Int32 = 60
        setsockopt(
          descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE, &idleSeconds, socklen_t(MemoryLayout<Int32>.size))
        return .connection(Socket(owning: descriptor, peer: address.host))
      }
      switch errno {
      case EAGAIN: return .none
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
      default: continue
      }
    }
  }
}
