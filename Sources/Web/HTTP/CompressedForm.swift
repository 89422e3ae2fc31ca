import Synchronization

/// The compressed form of a body that is sent again and again: made once, by one thread, and kept as long as
/// the body is.
package final class CompressedForm: Sendable {
  private enum State: Sendable {
    case unknown
    /// Compressing has not made the body smaller.
    case useless
    case bytes([UInt8])
  }

  private let state = Mutex(State.unknown)

  /// Nothing has been compressed yet.
  package init() {}

  /// Whether the form is known, without waiting for a thread that makes it.
  package var isKnown: Bool {
    state.withLockIfAvailable { state in
      if case .unknown = state { false } else { true }
    } ?? false
  }

  /// Whether there are compressed bytes, without waiting for a thread that makes them.
  package var isAtHand: Bool {
    state.withLockIfAvailable { state in
      if case .bytes = state { true } else { false }
    } ?? false
  }

  /// The compressed bytes, or nil where they would not be fewer. The first caller makes them, and others
  /// wait for that.
  ///
  /// - Parameters:
  ///   - plainBytes: how many bytes the body has.
  ///   - compress: makes the form; when it gives nil or throws, nothing is kept.
  package func bytes<Failure: Error>(
    plainBytes: Int, compress: () throws(Failure) -> [UInt8]?
  ) throws(Failure) -> [UInt8]? {
    let result: Result<[UInt8]?, Failure> = state.withLock { state in
      switch state {
      case .bytes(let bytes): return .success(bytes)
      case .useless: return .success(nil)
      case .unknown: break
      }
      do throws(Failure) {
        guard let packed = try compress() else { return .success(nil) }
        state = packed.count < plainBytes ? .bytes(packed) : .useless
        return .success(packed.count < plainBytes ? packed : nil)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
