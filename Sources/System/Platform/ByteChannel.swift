import CLinux
import Glibc

/// One end of a stream between two processes of this machine, through which bytes go both ways.
///
/// One thread at a time uses it.
package final class ByteChannel: Sendable {
  private let descriptor: Int32

  /// Bytes that are received at a time.
  private static let pieceBytes = 256 << 10

  /// - Parameter descriptor: a connected socket, which is closed with the last reference.
  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// The end of the process that was started with its standard input and output at a channel.
  package static var standard: ByteChannel { ByteChannel(descriptor: 0) }

  /// Both ends of a new channel.
  static func pair() throws(SystemError) -> (own: ByteChannel, others: Int32) {
    var ends: [Int32] = [0, 0]
    try retrying("make", "a channel") { clinux_socket_pair(&ends) }
    return (ByteChannel(descriptor: ends[0]), ends[1])
  }

  /// Sends all bytes.
  ///
  /// - Parameter deadline: in monotonic nanoseconds.
  /// - Throws: `SystemError`: `ETIMEDOUT` at the deadline, and where the other end is closed.
  package func send(_ bytes: [UInt8], until deadline: UInt64) throws(SystemError) {
    var sent = 0
    while sent < bytes.count {
      try wait(for: POLLOUT, until: deadline)
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.send(
          descriptor, buffer.baseAddress?.advanced(by: sent), bytes.count - sent,
          Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      if count >= 0 {
        sent += count
      } else if errno != EINTR, errno != EAGAIN {
        throw SystemError.last("write to", "the other process")
      }
    }
  }

  /// Receives so many bytes; `nil`: the other end is closed.
  ///
  /// - Parameter deadline: in monotonic nanoseconds; `nil`: none.
  /// - Throws: `SystemError`: `ETIMEDOUT` at the deadline.
  package func receive(_ count: Int, until deadline: UInt64? = nil) throws(SystemError) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      try wait(for: POLLIN, until: deadline)
      var piece = [UInt8](repeating: 0, count: min(count - bytes.count, Self.pieceBytes))
      let room = piece.count
      let received = recv(descriptor, &piece, room, 0)
      if received < 0, errno == EINTR { continue }
      // A process that was killed may leave an error in the place of the end.
      guard received > 0 else { return nil }
      bytes += piece[..<received]
    }
    return bytes
  }

  /// Whether the other end has sent something, or is closed: between two questions only the latter can be.
  package var hasNews: Bool {
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&watched, 1, 0) != 0
  }

  private func wait(for event: Int32, until deadline: UInt64?) throws(SystemError) {
    while true {
      let now = SystemClock.monotonicNanoseconds
      let left = deadline.map { $0 > now ? ($0 - now) / 1_000_000 + 1 : 0 }
      if left == 0 {
        throw SystemError(operation: "talk to", subject: "the other process", errno: ETIMEDOUT)
      }
      var watched = pollfd(fd: descriptor, events: Int16(event), revents: 0)
      let found = poll(&watched, 1, left.map { Int32(clamping: $0) } ?? -1)
      if found > 0 { return }
      if found < 0, errno != EINTR { throw SystemError.last("talk to", "the other process") }
    }
  }
}

extension SystemError {
  /// Whether something took longer than it may.
  package var isTimeout: Bool { errno == ETIMEDOUT }
  /// Whether memory is short.
  package var isOutOfMemory: Bool { errno == ENOMEM }
}
