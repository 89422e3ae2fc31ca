import CLinux
import Glibc

/// Waits for many descriptors at once (`epoll(7)`); to be waited on by one thread.
package final class Epoll: Sendable {
  private let descriptor: Int32

  /// What has become possible on a descriptor.
  package struct Event: Sendable {
    /// What the descriptor was added with.
    package var token: UInt64
    package var isReadable: Bool
    package var isWritable: Bool
    /// The other end has closed its direction, or the connection is broken.
    package var isPeerClosed: Bool
    /// The connection is broken: nothing can be written any more.
    package var isBroken: Bool
  }

  /// Watches nothing yet.
  package init() throws(SystemError) {
    descriptor = try retrying("create", "epoll") { clinux_epoll_create() }
  }

  deinit { close(descriptor) }

  /// Watches a connection for both directions, each change told once (edge-triggered).
  package func add(_ socket: Socket, token: UInt64) throws(SystemError) {
    try add(
      socket.descriptor, clinux_readable | clinux_writable | clinux_peer_closed | clinux_edge_triggered, token
    )
  }

  /// Watches a listener, told as long as connections wait, to one of the loops that share it.
  package func add(_ listener: ListeningSocket, token: UInt64) throws(SystemError) {
    try add(listener.descriptor, clinux_readable | clinux_exclusive, token)
  }

  /// Watches for the wake-up of a thread.
  package func add(_ wakeUp: WakeUp, token: UInt64) throws(SystemError) {
    try add(wakeUp.descriptor, clinux_readable, token)
  }

  /// Stops watching a listener.
  package func remove(_ listener: ListeningSocket) throws(SystemError) {
    try retrying("stop watching", "descriptor \(listener.descriptor)") {
      clinux_epoll_remove(descriptor, listener.descriptor)
    }
  }

  /// Fills `events` with what has happened; returns with none after the time-out (nil: never).
  package func wait(timeoutMilliseconds: Int?, _ events: inout [Event]) {
    events.removeAll(keepingCapacity: true)
    withUnsafeTemporaryAllocation(of: clinux_event.self, capacity: Int(CLINUX_EVENTS_MAX)) { ready in
      let count = clinux_epoll_wait(descriptor, ready.baseAddress, Int32(clamping: timeoutMilliseconds ?? -1))
      // A signal handler's interruption is a wake-up without events.
      for index in 0..<max(0, Int(count)) {
        let flags = ready[index].flags
        events.append(
          Event(
            token: ready[index].token, isReadable: flags & clinux_readable != 0,
            isWritable: flags & clinux_writable != 0,
            isPeerClosed: flags & (clinux_peer_closed | clinux_broken) != 0,
            isBroken: flags & clinux_broken != 0))
      }
    }
  }

  private func add(_ watched: Int32, _ flags: UInt32, _ token: UInt64) throws(SystemError) {
    try retrying("watch", "descriptor \(watched)") { clinux_epoll_add(descriptor, watched, flags, token) }
  }
}
