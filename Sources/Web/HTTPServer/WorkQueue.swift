import Platform
import Synchronization

/// Work for several threads in the order of a `FairSchedule`. Each piece goes to one thread.
///
/// It is here and not in `Platform` because the compiler specialises generic types within a module only.
final class WorkQueue<Client: Hashable & Sendable, Work: Sendable>: Sendable {
  private struct State: Sendable {
    var schedule: FairSchedule<Client, Work>
    var sleepers = 0
    var isClosed = false
  }

  /// Threads sleep in it until there is work. The state is only used inside.
  private let monitor = Monitor()
  private let state: Mutex<State>

  /// - Parameter runningMaxima: for each lane, how many of its pieces may run at the same time.
  init(runningMaxima: [Int]) {
    state = Mutex(State(schedule: FairSchedule(runningMaxima: runningMaxima)))
  }

  /// Changes the schedule alone, and wakes as many threads as it may have given work.
  func change<Result: Sendable>(
    _ body: (inout sending FairSchedule<Client, Work>) -> sending Result
  ) -> Result {
    let (result, wakes) = monitor.alone {
      state.withLock { state in
        let before = state.schedule.count
        let result = body(&state.schedule)
        return (result, min(state.schedule.count - before, state.sleepers))
      }
    }
    for _ in 0..<max(0, wakes) { monitor.wakeOne() }
    return result
  }

  /// Takes the next piece, waiting for one; nil once the queue is closed and empty.
  ///
  /// - Parameter finished: the lane of the piece that this thread took before and has done.
  func take(finished: Int?) -> (work: Work, lane: Int)? {
    var finished = finished
    var isAsleep = false
    var next: (work: Work, lane: Int)?
    monitor.wait(until: {
      state.withLock { state in
        if let lane = finished { state.schedule.finished(lane: lane) }
        finished = nil
        next = state.schedule.next()
        let isDone = next != nil || state.isClosed && state.schedule.count == 0
        if isAsleep == isDone { state.sleepers += isDone ? -1 : 1 }
        isAsleep = !isDone
        return isDone
      }
    })
    // A thread that waited for another one to leave its lane has nothing to wait for any more.
    if next == nil { monitor.signal() }
    return next
  }

  /// Lets every thread end once the queue is empty.
  func close() { monitor.signal { state.withLock { $0.isClosed = true } } }
}
