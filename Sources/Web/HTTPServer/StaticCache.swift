import HTTP
import Platform
import Synchronization
import Text

/// Files that have been served, kept in memory until they change or there are too many: small ones whole, of
/// larger text the compressed form, which is made once.
final class StaticCache: Sendable {
  /// A larger file is sent from disk, where one system call moves it.
  static let fileBytesMax = 64 << 10
  /// Of a larger file no compressed form is kept.
  static let compressedFileBytesMax = 4 << 20
  /// What all files in memory may have together.
  static let bytesMax = 16 << 20

  private struct Entry: Sendable {
    var identity: FileIdentity
    var response: Response
    /// What the content and its compressed form have at most.
    var bytes: Int
    /// When the file on disk was this one, in monotonic nanoseconds.
    var seenAt: UInt64
  }

  private let freshNanoseconds: UInt64

  private let state = Mutex((entries: [ByteString: Entry](), bytes: 0))

  /// - Parameter freshNanoseconds: how long a look at the disk counts for `freshResponse`.
  init(freshNanoseconds: UInt64) { self.freshNanoseconds = freshNanoseconds }

  /// The answer with a file's content, as long as the file on disk is the one that was read.
  func response(for path: String) -> Response? {
    let now = SystemClock.monotonicNanoseconds
    guard let entry = state.withLock({ $0.entries[ByteString(path)] }),
      FileIdentity(path: path) == entry.identity
    else {
      return nil
    }
    state.withLock { state in
      if state.entries[ByteString(path)]?.identity == entry.identity {
        state.entries[ByteString(path)]?.seenAt = now
      }
    }
    return entry.response
  }

  /// The answer with a file's content if the file was the one that was read a moment ago; the disk is not
  /// asked.
  func freshResponse(for path: String) -> InstantResponse? {
    guard let entry = state.withLock({ $0.entries[ByteString(path)] }) else { return nil }
    let until = entry.seenAt + freshNanoseconds
    guard SystemClock.monotonicNanoseconds < until else { return nil }
    return InstantResponse(entry.response) { SystemClock.monotonicNanoseconds < until }
  }

  /// Keeps an answer; when there is no room, everything else is forgotten.
  ///
  /// - Parameter now: before the file was read, in monotonic nanoseconds.
  /// - Returns: the answer to be given: where another thread has kept one of the same file meanwhile, that
  ///   one, so that all share one compressed form.
  func keep(_ response: Response, for path: String, identity: FileIdentity, now: UInt64) -> Response {
    // A form that is not smaller than the file is not kept.
    var bytes = response.compressedForm == nil ? 0 : identity.bytes
    if case .bytes = response.body { bytes += identity.bytes }
    return state.withLock { state in
      if let known = state.entries[ByteString(path)], known.identity == identity { return known.response }
      state.bytes -= state.entries.removeValue(forKey: ByteString(path))?.bytes ?? 0
      if state.bytes + bytes > StaticCache.bytesMax { state = ([:], 0) }
      state.entries[ByteString(path)] = Entry(
        identity: identity, response: response, bytes: bytes, seenAt: now)
      state.bytes += bytes
      return response
    }
  }
}
