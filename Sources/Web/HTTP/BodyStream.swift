/// A body that is pulled: the server asks for the next piece only when the last one has left,
/// so a slow reader costs no memory.
package protocol BodyStream: AnyObject, Sendable {
  /// Told once, before anything is asked: `wake` ends an `idle` before its time, from any thread.
  func attach(wake: @escaping @Sendable () -> Void)
  /// The next step if it is at hand without waiting for disk or database; called on a loop's thread, which
  /// it must not hold up. nil: ask `next`.
  func ready() -> BodyStep?
  /// The next step; called on a handler thread. `ready` and `next` are never called twice at once for one
  /// stream.
  func next() throws -> BodyStep
  /// Called once when the client is gone or the stream has ended.
  func close()
}

extension BodyStream {
  /// Most streams are never woken.
  package func attach(wake: @escaping @Sendable () -> Void) {}
  /// Most streams always wait for something.
  package func ready() -> BodyStep? { nil }
}

/// What a stream has to give at the moment.
package enum BodyStep: Sendable {
  case bytes([UInt8])
  /// Nothing yet: ask again when woken, or after that many milliseconds.
  case idle(milliseconds: Int)
  case end
}

/// An answer that is not there yet, although no thread waits for it.
package protocol PendingAnswer: AnyObject, Sendable {
  /// Whether it comes by itself in a moment. A brief answer is also given to a client that has closed its
  /// half of the connection and counts as no lasting answer; any other is dropped for such a client, which is
  /// gone as a rule, and takes up a place among those that may wait at the same time.
  var isBrief: Bool { get }
  /// Told once, before anything is asked: `wake` makes the server ask again.
  func attach(wake: @escaping @Sendable () -> Void)
  /// The answer if it is at hand without waiting for disk or database; called on a loop's thread, which it
  /// must not hold up; so is `close` after it. nil: ask `next`.
  func ready() -> Response?
  /// The answer, or for how many milliseconds not to ask again unless woken; called on a handler thread.
  ///
  /// - Parameter mustAnswer: whether the server stops and wants the answer now, whatever it is.
  func next(mustAnswer: Bool) throws -> PendingStep
  /// Called once when the client is gone or the answer was given.
  func close()
}

extension PendingAnswer {
  /// Most wait for something that may never happen.
  package var isBrief: Bool { false }
  /// Most have to look somewhere.
  package func ready() -> Response? { nil }
}

/// What is known of a pending answer.
package enum PendingStep: Sendable {
  case answer(Response)
  case idle(milliseconds: Int)
}
