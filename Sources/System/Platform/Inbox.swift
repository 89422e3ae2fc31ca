import Glibc

/// Messages from any thread to the one thread that owns them, in order.
///
/// The lock is held for the append or the removal alone.
package final class Inbox<Message: Sendable>: @unchecked Sendable {
  // Unchecked because `messages` is touched under `mutex` alone, which the compiler cannot see.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var messages: [Message] = []

  package init() {
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Appends a message and wakes the owner.
  ///
  /// - Returns: whether it is the only one that waits.
  @discardableResult
  package func send(_ message: Message) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    messages.append(message)
    pthread_cond_signal(condition)
    return messages.count == 1
  }

  /// Takes every message that is there.
  package func takeAll() -> [Message] {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    let taken = messages
    messages = []
    return taken
  }

  /// Takes every message; blocks while there is none, at most for a time-out in milliseconds (`nil`: for
  /// ever).
  package func receive(timeoutMilliseconds: Int?) -> [Message] {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if let timeoutMilliseconds {
      let end = SystemClock.monotonicNanoseconds + UInt64(max(0, timeoutMilliseconds)) * 1_000_000
      var deadline = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
      while messages.isEmpty {
        if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT { break }
      }
    } else {
      while messages.isEmpty { pthread_cond_wait(condition, mutex) }
    }
    let taken = messages
    messages = []
    return taken
  }
}
