import HTTP
import Platform
import Synchronization

/// Small files that have been served, kept in memory until they change or there are too many.
final class StaticCache: Sendable {
  /// A larger file is sent from disk, where one system call moves it.
  static let fileBytesMax = 64 << 10
  /// What all files in memory may have together.
  static let bytesMax = 4 << 20

  private struct Entry: Sendable {
    var identity: FileIdentity
    var response: Response
  }

  private let state = Mutex((entries: [String: Entry](), bytes: 0))

  /// The answer with a file's content, as long as the file on disk is the one that was read.
  func response(for path: String) -> Response? {
    guard let entry = state.withLock({ $0.entries[path] }), FileIdentity(path: path) == entry.identity else {
      return nil
    }
    return entry.response
  }

  /// Keeps an answer; when there is no room, everything else is forgotten.
  func keep(_ response: Response, for path: String, identity: FileIdentity) {
    state.withLock { state in
      state.bytes -= state.entries.removeValue(forKey: path)?.identity.bytes ?? 0
      if state.bytes + identity.bytes > StaticCache.bytesMax { state = ([:], 0) }
      state.entries[path] = Entry(identity: identity, response: response)
      state.bytes += identity.bytes
    }
  }
}
