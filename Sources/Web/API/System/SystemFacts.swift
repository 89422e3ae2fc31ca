import Recipe
import Text

/// What the daemon knows of itself besides the store, for `GET /system`.
package struct SystemFacts: Sendable {
  /// A worker that runs a job.
  package struct Worker: Sendable {
    /// The job that it runs.
    let job: JobID
    /// Threads of its engine.
    let threads: Int
    /// When the attempt began, in Unix milliseconds.
    let sinceMilliseconds: Int

    package init(job: JobID, threads: Int, sinceMilliseconds: Int) {
      self.job = job
      self.threads = threads
      self.sinceMilliseconds = sinceMilliseconds
    }
  }

  /// An access token.
  package struct Token: Sendable {
    /// By which people know it.
    let name: String
    /// `read` or `write`.
    let role: String
    /// When it was made, as RFC 3339.
    let createdAt: String
    /// When it was used last, in Unix milliseconds; `nil`: not since the daemon started.
    let usedAtMilliseconds: Int?

    package init(name: String, role: String, createdAt: String, usedAtMilliseconds: Int?) {
      self.name = name
      self.role = role
      self.createdAt = createdAt
      self.usedAtMilliseconds = usedAtMilliseconds
    }

    /// Whether it lets its bearer change things.
    var isWriter: Bool { ByteString(role) == "write" }
  }

  /// The workers that run, in the order in which they began.
  package var workers: @Sendable () -> [Worker] = { [] }
  /// Workers at the same time, and threads of one of them, at most.
  package var workersMax = 1
  package var threadsMax = 1
  /// Bytes of the data folder's device that are kept free.
  package var reserveBytes = 0
  /// The access tokens; `nil`: none is needed.
  package var tokens: @Sendable () throws -> [Token]? = { nil }
  /// The database, next to which its write-ahead log lies.
  package var databasePath = ""
  /// The instruction set of the kernels; `nil`: not known.
  package var isa: String?

  package init() {}
}
