import HTTP
import JobStore
import Recipe
import Synchronization

/// Answers with a job, kept until it changes: to see that it has not costs less than to write it anew.
final class JobCache: Sendable {
  private struct Entry: Sendable {
    let revision: Int
    let response: Response
    let life: AnswerLife
    /// The store's number of commits before the job was known to have this revision.
    var commits: Int
  }

  private let entries = Mutex<[JobID: Entry]>([:])

  /// Jobs that are kept; beyond that all are forgotten.
  private static let entriesMax = 1_000

  /// The answer, if nothing at all has been written since the job was seen, and it is not too old.
  func response(_ id: JobID, asOf commits: Int, at now: Int) -> Response? {
    entries.withLock { entries in
      guard let entry = entries[id], entry.commits == commits, !entry.life.isOver(at: now) else {
        return nil
      }
      return entry.response
    }
  }

  /// The answer, if it is of this revision and not too old.
  ///
  /// - Parameter commits: the store's number of commits before the revision was read.
  func response(_ id: JobID, revision: Int, asOf commits: Int, at now: Int) -> Response? {
    entries.withLock { entries in
      guard let entry = entries[id], entry.revision == revision, !entry.life.isOver(at: now) else {
        return nil
      }
      entries[id]?.commits = max(entry.commits, commits)
      return entry.response
    }
  }

  /// Keeps an answer.
  ///
  /// - Parameter commits: the store's number of commits before the job was read.
  func keep(_ response: Response, _ id: JobID, revision: Int, life: AnswerLife, asOf commits: Int) {
    entries.withLock { entries in
      if entries.count >= JobCache.entriesMax { entries = [:] }
      // Of two that have read at the same time, the one that has seen more stays.
      if let known = entries[id], known.revision > revision { return }
      entries[id] = Entry(revision: revision, response: response, life: life, commits: commits)
    }
  }
}

/// How long an answer about jobs is as good as a new one.
struct AnswerLife: Sendable, Equatable {
  /// When the answer was made, in Unix milliseconds; `nil`: time does not change it.
  private let madeAt: Int?

  /// How old the times in an answer may be, in milliseconds.
  static let millisecondsMax = 1_000

  /// Of an answer with these jobs: their times and estimates stand still only when they have finished.
  init(of jobs: some Sequence<JobRecord>, madeAt now: Int) {
    madeAt = jobs.allSatisfy(\.state.isFinished) ? nil : now
  }

  /// Whether the answer has to be made anew; also where the clock was set back since.
  func isOver(at now: Int) -> Bool {
    madeAt.map { !(0..<Self.millisecondsMax).contains(now - $0) } ?? false
  }
}
