import HTTP
import JobModel
import Synchronization

/// Answers with a job, kept until it changes: to see that it has not costs less than to write it anew.
final class JobCache: Sendable {
  private struct Entry: Sendable {
    let revision: Int
    let response: Response
    /// The store's number of commits before the job was known to have this revision.
    var commits: Int
  }

  private let entries = Mutex<[JobID: Entry]>([:])

  /// Jobs that are kept; beyond that all are forgotten.
  private static let entriesMax = 1_000

  /// The answer, if nothing at all has been written since the job was seen.
  func response(_ id: JobID, asOf commits: Int) -> Response? {
    entries.withLock { entries in
      guard let entry = entries[id], entry.commits == commits else { return nil }
      return entry.response
    }
  }

  /// The answer, if it is of this revision.
  ///
  /// - Parameter commits: the store's number of commits before the revision was read.
  func response(_ id: JobID, revision: Int, asOf commits: Int) -> Response? {
    entries.withLock { entries in
      guard let entry = entries[id], entry.revision == revision else { return nil }
      entries[id]?.commits = max(entry.commits, commits)
      return entry.response
    }
  }

  /// Keeps an answer.
  ///
  /// - Parameter commits: the store's number of commits before the job was read.
  func keep(_ response: Response, _ id: JobID, revision: Int, asOf commits: Int) {
    entries.withLock { entries in
      if entries.count >= JobCache.entriesMax { entries = [:] }
      // Of two that have read at the same time, the one that has seen more stays.
      if let known = entries[id], known.revision > revision { return }
      entries[id] = Entry(revision: revision, response: response, commits: commits)
    }
  }
}
