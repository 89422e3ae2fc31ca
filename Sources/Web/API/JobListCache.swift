import HTTP
import Synchronization
import Text

/// Lists of jobs by the targets that asked for them, kept until anything is written to the store: many
/// clients that look again and again cost one reading for each commit.
final class JobListCache: Sendable {
  private struct Entry: Sendable {
    let response: Response
    let life: AnswerLife
    let commits: Int
    let bytes: Int
  }

  private let state = Mutex((entries: [ByteString: Entry](), bytes: 0))

  /// A longer target is not kept.
  private static let targetBytesMax = 512
  /// What all lists may have together, with their compressed forms; beyond that all are forgotten.
  private static let bytesMax = 16 << 20

  /// The answer, if nothing at all has been written since the list was read, and it is not too old.
  func response(to request: Request, asOf commits: Int, at now: Int) -> Response? {
    guard request.target.count <= JobListCache.targetBytesMax else { return nil }
    let target = request.target
    return state.withLock { state in
      guard let entry = state.entries[target], entry.commits == commits, !entry.life.isOver(at: now) else {
        return nil
      }
      return entry.response
    }
  }

  /// Keeps an answer, which gets a place for its compressed form.
  ///
  /// - Parameter commits: the store's number of commits before the list was read.
  func keep(
    _ response: Response, to request: Request, life: AnswerLife, asOf commits: Int, at now: Int
  ) -> Response {
    guard (1...JobListCache.targetBytesMax).contains(request.target.count),
      let count = response.body.count, count <= JobListCache.bytesMax / 4
    else { return response }
    let target = request.target
    var response = response
    response.compressedForm = CompressedForm()
    let entry = Entry(
      response: response, life: life, commits: commits, bytes: 2 * count + target.count)
    return state.withLock { state in
      if let known = state.entries[target] {
        // Of two that have read at the same time, the first is kept, so that both share one compressed form.
        if known.commits > commits { return response }
        if known.commits == commits, !known.life.isOver(at: now) { return known.response }
        state.bytes -= known.bytes
      }
      if state.bytes + entry.bytes > JobListCache.bytesMax { state = ([:], 0) }
      state.entries[target] = entry
      state.bytes += entry.bytes
      return response
    }
  }
}
