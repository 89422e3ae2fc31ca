import CLinux
import Glibc

/// A counter in the kernel by which any thread wakes the one that waits in `Epoll` (`eventfd(2)`).
package final class WakeUp: Sendable {
  let descriptor: Int32

  /// No signal has come yet.
  package init() throws(SystemError) {
    descriptor = try retrying("create", "eventfd") { clinux_eventfd() }
  }

  deinit { close(descriptor) }

  /// Wakes the waiting thread, or keeps it from falling asleep.
  package func signal() {
    var one: UInt64 = 1
    // It fails only when the counter is full, and then the thread is awake.
    _ = Glibc.write(descriptor, &one, 8)
  }

  /// Takes every signal that has come.
  package func clear() {
    var count: UInt64 = 0
    _ = Glibc.read(descriptor, &count, 8)
  }
}
