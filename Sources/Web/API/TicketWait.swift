import HTTP
import Platform
import SharedWork
import Synchronization

/// The answer to a request that needs what is being computed elsewhere: it comes when all of that is there,
/// and no thread waits for it. After a time it is 503, and what was computed is kept for the next request.
final class TicketWait<Value: Sendable>: PendingAnswer {
  /// What follows from the values that were waited for.
  enum Next: Sendable {
    case answer(Response)
    /// More has to be waited for, with the same deadline.
    case wait([Ticket<Value>])
  }

  private struct State {
    var tickets: [Ticket<Value>]
    /// What the answer has become, if that is pending itself.
    var inner: (any PendingAnswer)?
    var wake: @Sendable () -> Void = {}
  }

  private let state: Mutex<State>
  private let proceed: @Sendable ([Value]) throws -> Next
  private let deadline: UInt64
  private let overdue: Problem

  /// - Parameters:
  ///   - tickets: one or more.
  ///   - seconds: after which the answer is `overdue`.
  ///   - overdue: a 503 that says what is not there yet.
  ///   - proceed: called on a handler's thread with the tickets' values in their order.
  init(
    _ tickets: [Ticket<Value>], seconds: Int = API.computedAnswerSeconds, overdue: Problem = .busy,
    proceed: @escaping @Sendable ([Value]) throws -> Next
  ) {
    state = Mutex(State(tickets: tickets))
    self.proceed = proceed
    self.overdue = overdue
    deadline = SystemClock.monotonicNanoseconds + UInt64(seconds) * 1_000_000_000
  }

  func attach(wake: @escaping @Sendable () -> Void) {
    let tickets = state.withLock { state in
      state.wake = wake
      return state.tickets
    }
    for ticket in tickets { ticket.attach(wake) }
  }

  func ready() -> Response? { state.withLock { $0.inner }?.ready() }

  func next(mustAnswer: Bool) throws -> PendingStep {
    while true {
      let (tickets, inner) = state.withLock { ($0.tickets, $0.inner) }
      if let inner { return try inner.next(mustAnswer: mustAnswer) }
      let values = tickets.compactMap { $0.value() }
      guard values.count == tickets.count else {
        let now = SystemClock.monotonicNanoseconds
        if mustAnswer || now >= deadline { return .answer(overdue.response) }
        return .idle(milliseconds: Int((deadline - now) / 1_000_000) + 1)
      }
      for ticket in tickets { ticket.close() }
      switch step(values) {
      case .answer(let response):
        guard case .pending(let inner) = response.body else { return .answer(response) }
        state.withLock { $0.inner = inner }
        inner.attach(wake: state.withLock { $0.wake })
      case .wait(let more):
        let wake = state.withLock { state in
          state.tickets = more
          return state.wake
        }
        for ticket in more { ticket.attach(wake) }
      }
    }
  }

  private func step(_ values: [Value]) -> Next {
    do {
      return try proceed(values)
    } catch {
      return .answer(API.problem(for: error).response)
    }
  }

  func close() {
    let (tickets, inner) = state.withLock { ($0.tickets, $0.inner) }
    for ticket in tickets { ticket.close() }
    inner?.close()
  }
}

extension Problem {
  /// What an answer needs cannot be begun now.
  static var busy: Problem {
    var problem = Problem(
      status: 503,
      detail: "This cannot be computed now: too much is waiting, or no process can be started; try again.")
    problem.headers.add("Retry-After", "2")
    return problem
  }
}
