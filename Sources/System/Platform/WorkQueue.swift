import Glibc

/// Work for several threads in the order of a `FairSchedule`. Each piece goes to one thread.
package final class WorkQueue<Client: Hashable & Sendable, Work: Sendable>: @unchecked Sendable {
  // Unchecked because the schedule is touched under `mutex` alone, which the compiler cannot see.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var schedule: FairSchedule<Client, Work>
  private var sleepers = 0
  private var isClosed = false

  /// - Parameter runningMaxima: for each lane, how many of its pieces may run at the same time.
  package init(runningMaxima: [Int]) {
    schedule = FairSchedule(runningMaxima: runningMaxima)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Changes the schedule alone, and wakes as many threads as it may have given work.
  package func change<Result>(_ body: (inout FairSchedule<Client, Work>) -> Result) -> Result {
    pthread_mutex_lock(mutex)
    let before = schedule.count
    let result = body(&schedule)
    let wakes = min(schedule.count - before, sleepers)
    pthread_mutex_unlock(mutex)
    for _ in 0..<max(0, wakes) { pthread_cond_signal(condition) }
    return result
  }

  /// Takes the next piece, waiting for one; nil once the queue is closed and empty.
  ///
  /// - Parameter finished: the lane of the piece that this thread took before and has done.
  package func take(finished: Int?) -> (work: Work, lane: Int)? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if let finished { schedule.finished(lane: finished) }
    while true {
      if let next = schedule.next() { return next }
      if isClosed, schedule.count == 0 {
        // A thread that waited for another one to leave its lane has nothing to wait for any more.
        pthread_cond_broadcast(condition)
        return nil
      }
      sleepers += 1
      pthread_cond_wait(condition, mutex)
      sleepers -= 1
    }
  }

  /// Lets every thread end once the queue is empty.
  package func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }
}
