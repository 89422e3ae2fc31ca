import Synchronization

/// Whether a connection still has a client, as the handlers' threads see it: work for a client that is gone
/// does not run. The loop that owns the connection is the only one to end it.
final class Liveness: Sendable {
  private let hasEnded = Atomic<Bool>(false)

  /// Whether nobody would get an answer any more.
  var isGone: Bool { hasEnded.load(ordering: .relaxed) }

  /// The connection is closed or broken.
  func end() { hasEnded.store(true, ordering: .relaxed) }
}
