import Crypto
import HTTP
import Platform

/// What other threads have for a loop; putting something in wakes it.
final class LoopInbox: Sendable {
  /// A result or a command.
  enum Message: Sendable {
    case answer(UInt64, Answer)
    /// Whether a request's content is read.
    case admitted(UInt64, AdmissionOutcome)
    /// What was to be stored has been; or why it could not be.
    case stored(UInt64, Problem?)
    case handshake(UInt64, TLSSession.Handshake)
    /// A stream's step; nil when it failed.
    case step(UInt64, OpenStream, BodyStep?)
    /// An answer that is pending, and how long not to ask for it unless woken.
    case pending(UInt64, PendingRequest, milliseconds: Int)
    /// A stream or a pending answer has something new.
    case wake(UInt64)
    /// Stop, and be done at that time of the monotonic clock in nanoseconds.
    case stop(deadline: UInt64)
  }

  let wakeUp: WakeUp
  private let messages = Inbox<Message>()

  /// Empty.
  init() throws(SystemError) { wakeUp = try WakeUp() }

  /// Adds a message; only the first of several needs a system call.
  func put(_ message: Message) {
    if messages.send(message) { wakeUp.signal() }
  }

  /// Every message that has come.
  func takeAll() -> [Message] { messages.takeAll() }
}
