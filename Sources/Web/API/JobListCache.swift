import HTTP
import Synchronization

/// Lists of jobs by the targets that asked for them, kept until anything is written to the store: many
/// clients that look again and again cost one reading for each commit.
final class JobListCache: Sendable {
  private struct Entry: Sendable {
    let response: Response
    let commits: Int
    let bytes: Int
  }

  private let state = Mutex((entries: [[UInt8]: Entry](), bytes: 0))

  /// A longer target is not kept.
  private static let targetBytesMax = 512
  /// What all lists may have together, with their compressed forms; beyond that all are forgotten.
  private static let bytesMax = 16 << 20

  /// The answer, if nothing at all has been written since the list was read.
  func response(to request: Request, asOf commits: Int) -> Response? {
    guard request.target.utf8.count <= JobListCache.targetBytesMax else { return nil }
    let target = Array(request.target.utf8)
    return state.withLock { state in
      guard let entry = state.entries[target], entry.commits == commits else { return nil }
      return entry.response
    }
  }

  /// Keeps an answer, which gets a place for its compressed form.
  ///
  /// - Parameter commits: the store's number of commits before the list was read.
  func keep(_ response: Response, to request: Request, asOf commits: Int) -> Response {
    guard (1...JobListCache.targetBytesMax).contains(request.target.utf8.count),
      let count = response.body.count, count <= JobListCache.bytesMax / 4
    else { return response }
    let target = Array(request.target.utf8)
    var response = response
    response.compressedForm = CompressedForm()
    let entry = Entry(response: response, commits: commits, bytes: 2 * count + target.count)
    return state.withLock { state in
      if let known = state.entries[target] {
        // Of two that have read at the same time, the first is kept, so that both share one compressed form.
        if known.commits >= commits { return known.commits == commits ? known.response : response }
        state.bytes -= known.bytes
      }
      if state.bytes + entry.bytes > JobListCache.bytesMax { state = ([:], 0) }
      state.entries[target] = entry
      state.bytes += entry.bytes
      return response
    }
  }
}
