import HTTP
import Platform

/// The answer to a request whose write is on its way to the disk: it comes with the commit, and no thread
/// waits for it.
final class CommitWait: PendingAnswer {
  // Unchecked because `monitor` guards it.
  private final class State: @unchecked Sendable {
    var response: Response?
    var wake: @Sendable () -> Void = {}
  }

  let isBrief = true

  private let monitor = Monitor()
  private let state = State()

  /// It is asked for again when it has come; this is for a wake-up that was lost.
  private static let idleMilliseconds = 60_000

  /// Gives the answer; once, from any thread.
  func settle(_ response: Response) {
    monitor.signal { state.response = response }
    monitor.alone { state.wake }()
  }

  func attach(wake: @escaping @Sendable () -> Void) { monitor.alone { state.wake = wake } }

  func ready() -> Response? { monitor.alone { state.response } }

  func next(mustAnswer: Bool) -> PendingStep {
    // A commit is never far away.
    if mustAnswer { monitor.wait { state.response != nil } }
    return ready().map(PendingStep.answer) ?? .idle(milliseconds: Self.idleMilliseconds)
  }

  func close() {}
}
