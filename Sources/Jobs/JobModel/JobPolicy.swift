import JSONText
import Text

/// How the queue treats a job; it never changes what the job computes.
package struct JobPolicy: Sendable, Equatable {
  /// What becomes of a job when one that it needs ends without success.
  package enum OnDependencyFailure: String, Sendable, CaseIterable {
    /// It is cancelled as well.
    case cancel
    /// It runs once all that it needs have ended.
    case run
  }

  package var onDependencyFailure: OnDependencyFailure
  /// Seconds that it may run, all attempts together; `nil`: as long as it takes.
  package var maxDurationSeconds: Int?
  /// Attempts that may fail by an error of their own, ≥ 1. Deaths of worker, daemon or machine, pauses and
  /// yields use none up.
  package var maxAttempts: Int

  package static let maxDurationRange = 1...31_536_000
  package static let maxAttemptsRange = 1...100

  package init(
    onDependencyFailure: OnDependencyFailure = .cancel, maxDurationSeconds: Int? = nil, maxAttempts: Int = 1
  ) {
    self.onDependencyFailure = onDependencyFailure
    self.maxDurationSeconds = maxDurationSeconds
    self.maxAttempts = maxAttempts
  }

  private static let fields = Fields<Self> {
    Field(
      "on_dependency_failure", \.onDependencyFailure, .choice,
      "What happens when a job that this one needs ends without success: it is cancelled too, or runs.")
    Field(
      "max_duration_seconds", \.maxDurationSeconds, .integerOrNull(maxDurationRange),
      "Seconds that the job may run, all attempts together; null: as long as it takes.")
    Field(
      "max_attempts", \.maxAttempts, .integer(maxAttemptsRange),
      "Attempts that may fail by an error of their own; crashes, pauses and restarts do not count.")
  }

  /// The old name of `max_duration_seconds`.
  private static let oldName = Form<Int?>.integerOrNull(maxDurationRange)

  /// What a request may say of it, as the members of a JSON Schema.
  package static let schemas: [ByteString: JSON] = {
    var schemas = fields.properties(defaults: JobPolicy())
    schemas["max_duration"] = oldName.schema(nil).described(
      by: "The old name of max_duration_seconds; where both are given, they must be the same.")
    return schemas
  }()

  /// Reads `on_dependency_failure`, `max_duration_seconds` and `max_attempts`; what is missing stays
  /// unchanged.
  package mutating func read(_ reader: ObjectReader) {
    Self.fields.read(reader, into: &self)
    var duration = maxDurationSeconds
    reader.read("max_duration", Self.oldName, into: &duration)
    if reader.value("max_duration_seconds") == nil {
      maxDurationSeconds = duration
    } else if duration != maxDurationSeconds {
      reader.refuse("max_duration", "must be the same as max_duration_seconds")
    }
  }

  /// Milliseconds that a job waits before another attempt, after that many failures or deaths in a row: none
  /// after the first, then half a second, doubled each time, at most a minute.
  package static func backOffMilliseconds(after failures: Int) -> Int {
    failures <= 1 ? 0 : min(60_000, 500 << min(failures - 2, 7))
  }
}
