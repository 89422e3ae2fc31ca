import CLinux
import Glibc

/// One end of a TCP connection. Closed when the last reference goes; to be used by one thread at a time.
package final class Socket: Sendable {
  package let descriptor: Int32
  /// The other end's address without its port.
  package let peer: String

  init(owning descriptor: Int32, peer: String) {
    self.descriptor = descriptor
    self.peer = peer
  }

  deinit { close(descriptor) }

  /// What came of an attempt to move bytes.
  package enum Transfer: Equatable, Sendable {
    /// So many bytes, at least one.
    case moved(Int)
    /// Nothing now: wait until the socket is ready.
    case wouldBlock
    /// Nothing ever again: the other end has closed or broken the connection.
    case ended
  }

  /// Connects and waits for it; reads and writes then block, each for at most `timeoutSeconds`.
  package static func connect(
    host: String, port: Int, timeoutSeconds: Int = 10
  ) throws(SystemError) -> Socket {
    var address = try SocketAddress(host: host, port: port)
    let subject = "\(host):\(port)"
    let descriptor = try retrying("open a socket to", subject) {
      clinux_stream_socket(address.family, 0)
    }
    let connection = Socket(owning: descriptor, peer: host)
    var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
    let bytes = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, bytes)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, bytes)
    try retrying("connect to", subject) {
      address.withPointer { Glibc.connect(descriptor, $0, $1) }
    }
    return connection
  }

  /// Reads into the front of a buffer.
  package func read(into buffer: inout [UInt8]) -> Transfer {
    transfer { buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) } }
  }

  /// Writes bytes from an offset on.
  ///
  /// - Parameters:
  ///   - countMax: how many at most.
  ///   - moreFollows: whether the kernel may wait for the next write before it sends the last packet.
  package func write(
    _ bytes: [UInt8], from offset: Int = 0, countMax: Int = .max, moreFollows: Bool = false
  ) -> Transfer {
    transfer {
      bytes.withUnsafeBytes {
        clinux_send(
          descriptor, $0.baseAddress?.advanced(by: offset), min($0.count - offset, countMax),
          moreFollows ? 1 : 0)
      }
    }
  }

  /// Sends a part of a file without copying it through this process (`sendfile(2)`); `ended` also when the
  /// file has become shorter. Broken pipes must be ignored by the process.
  package func send(_ file: File, offset: Int, count: Int) -> Transfer {
    transfer { clinux_sendfile(descriptor, file.descriptor, off_t(offset), count) }
  }

  /// Tells the other end that nothing more will come; reading goes on.
  package func shutDownWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Makes the close that follows reset the connection instead of ending it in order.
  package func resetOnClose() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }

  /// Bounds what the kernel keeps for this socket, in bytes; it doubles the figures (`socket(7)`).
  package func setBufferBytes(receive: Int32? = nil, send: Int32? = nil) {
    let bytes = socklen_t(MemoryLayout<Int32>.size)
    if var receive { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive, bytes) }
    if var send { setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &send, bytes) }
  }

  private func transfer(_ call: () -> Int) -> Transfer {
    while true {
      let count = call()
      if count > 0 { return .moved(count) }
      if count == 0 { return .ended }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .wouldBlock
      default: return .ended
      }
    }
  }
}
