import Glibc

/// Work for several threads, first come, first served. Each piece goes to one thread.
package final class WorkQueue<Work: Sendable>: @unchecked Sendable {
  // Unchecked because the queue is touched under `mutex` alone, which the compiler cannot see.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var waiting: [Work] = []
  /// Pieces at the front of `waiting` that are taken already.
  private var taken = 0
  private var sleepers = 0
  private var isClosed = false

  package init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Appends work and wakes as many threads as it needs.
  package func add(_ work: [Work]) {
    pthread_mutex_lock(mutex)
    waiting += work
    let wakes = min(work.count, sleepers)
    pthread_mutex_unlock(mutex)
    for _ in 0..<wakes { pthread_cond_signal(condition) }
  }

  /// Takes the oldest piece, waiting for one; nil once the queue is closed and empty.
  package func take() -> Work? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while taken == waiting.count {
      if isClosed { return nil }
      sleepers += 1
      pthread_cond_wait(condition, mutex)
      sleepers -= 1
    }
    let work = waiting[taken]
    taken += 1
    if taken == waiting.count {
      waiting.removeAll(keepingCapacity: true)
      taken = 0
    } else if taken > 1_024 && taken * 2 > waiting.count {
      waiting.removeFirst(taken)
      taken = 0
    }
    return work
  }

  /// Lets every thread end once the queue is empty.
  package func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }
}
