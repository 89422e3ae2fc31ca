import CCPU
import CLinux
import Glibc

/// An operating system thread for work that blocks or computes; never one of Swift's shared pool.
/// Sendable because the handle is constant, and `joined` belongs to the one who joins.
package final class Thread: @unchecked Sendable {
  private let handle: pthread_t
  private var joined = false

  /// Starts a thread that runs `body` and ends.
  ///
  /// - `name`: shown by `ps -L` and debuggers; the kernel keeps 15 bytes.
  /// - `stackBytes`: at least 64 KiB.
  package init(
    name: String, stackBytes: Int = 1 << 20, _ body: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, max(stackBytes, 64 << 10))
    let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
    var thread = pthread_t()
    let code = pthread_create(&thread, &attributes, runThread, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw SystemError(operation: "start the thread", subject: name, errno: code)
    }
    handle = thread
  }

  deinit {
    if !joined { pthread_detach(handle) }
  }

  /// Waits until the thread has ended. Call it once, from another thread.
  package func join() {
    precondition(!joined, "a thread is joined once")
    joined = true
    pthread_join(handle, nil)
  }

  /// Whether it is this thread that asks.
  package var isCurrent: Bool { pthread_equal(handle, pthread_self()) != 0 }

  /// Starts as many threads as are asked for and lets them end again: whether that many more threads or
  /// processes can be there now.
  ///
  /// - Returns: how many of them could be started, and what kept the next one from starting.
  package static func probe(_ count: Int) -> (started: Int, failure: SystemError?) {
    let gate = Gate()
    var threads: [Thread] = []
    var failure: SystemError?
    while threads.count < count, failure == nil {
      do throws(SystemError) {
        threads.append(try Thread(name: "probe") { gate.wait() })
      } catch {
        failure = error
      }
    }
    gate.open()
    for thread in threads { thread.join() }
    return (threads.count, failure)
  }

  /// How long the turns of a thread on a processor are.
  package enum Turns: UInt64 {
    /// As the kernel chooses.
    case ordinary = 0
    /// Very short: such a thread is let in soon after it has been woken, although others of the same niceness
    /// compute all the time.
    case short = 100_000
  }

  /// Sets the turns of the calling thread and of those threads and processes that it starts from now on. A
  /// kernel before Linux 6.12 leaves them as they are.
  package static func take(_ turns: Turns) {
    // A refusal changes only who waits for whom; there is nothing to be done about it.
    _ = clinux_set_slice(turns.rawValue)
  }

  /// Gives the rest of this thread's time slice to another one.
  package static func yieldSlice() { sched_yield() }
}

/// What a new thread needs to begin.
private final class ThreadStart {
  let name: String
  let body: @Sendable () -> Void
  init(name: String, body: @escaping @Sendable () -> Void) {
    self.name = name
    self.body = body
  }
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
  ccpu_name_thread(start.name)
  start.body()
  return nil
}

/// A mutex with a condition variable: threads sleep in it until another one changes what they wait for.
package final class Monitor: @unchecked Sendable {  // pthread's own objects are made for sharing
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// An open monitor that nobody waits in.
  package init() {
    mutex.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Runs `body` alone; wakes nobody.
  package func alone<Result>(_ body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Runs `change` alone and wakes every waiter to look again.
  package func signal(_ change: () -> Void = {}) {
    pthread_mutex_lock(mutex)
    change()
    pthread_cond_broadcast(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Wakes one waiter, if there is one, after what it waits for has been changed alone.
  package func wakeOne() { pthread_cond_signal(condition) }

  /// Wakes one waiter, if there is one, to look again.
  package func signalOne() {
    pthread_mutex_lock(mutex)
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Sleeps until `isSatisfied` holds; it is evaluated alone, after each signal. Then runs `body`, still
  /// alone.
  package func wait<Result>(until isSatisfied: () -> Bool, then body: () -> Result) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !isSatisfied() { pthread_cond_wait(condition, mutex) }
    return body()
  }

  /// Sleeps until `isSatisfied` holds; it is evaluated alone, after each signal.
  package func wait(until isSatisfied: () -> Bool) { wait(until: isSatisfied, then: {}) }
}

/// Keeps threads waiting until it is opened. Unchecked because the monitor guards its state.
private final class Gate: @unchecked Sendable {
  private let monitor = Monitor()
  private var isOpen = false

  func open() { monitor.signal { isOpen = true } }

  func wait() { monitor.wait { isOpen } }
}
