import SQLite
import Text

/// By what a list is sorted. Jobs with the same value are in the order of their arrival, and those without
/// one come last; the arrival and the value have the same direction.
package struct JobOrder: Sendable, Equatable {
  /// What a list can be sorted by. Texts are compared as bytes.
  package enum Field: String, Sendable, CaseIterable {
    case createdAt = "created_at"
    case startedAt = "started_at"
    case finishedAt = "finished_at"
    case name, state, kind, priority, health, dataset, method, top1, loss, rankme
    case runningSeconds = "running_seconds"
    /// What runs, then what is queued in the order in which it begins, then what rests or waits for other
    /// jobs, then what has finished, the newest first.
    case queue
  }
  package var field: Field
  package var isDescending: Bool

  /// The newest first, where nothing else is said.
  package init(_ field: Field = .createdAt, isDescending: Bool = true) {
    self.field = field
    self.isDescending = isDescending
  }
}

extension JobOrder {
  /// As `sort` has it.
  var text: String { (isDescending ? "-" : "") + field.rawValue }

  /// What kind of value jobs are sorted by.
  private enum Values {
    case integers, reals, texts
  }

  private var values: Values {
    switch field {
    case .createdAt, .startedAt, .finishedAt, .priority, .runningSeconds, .queue: .integers
    case .top1, .loss, .rankme: .reals
    case .name, .state, .kind, .health, .dataset, .method: .texts
    }
  }

  /// Whether jobs need not have a value.
  var isNullable: Bool {
    switch field {
    case .name, .startedAt, .finishedAt, .dataset, .method, .top1, .loss, .rankme: true
    case .createdAt, .state, .kind, .priority, .health, .runningSeconds, .queue: false
    }
  }

  /// Whether the values of jobs that run change with time.
  var isOfMoment: Bool { field == .runningSeconds }

  /// The value as SQL, in which `?1` is the time; `nil`: the arrival, which is the caller's to know.
  var expression: String? {
    switch field {
    case .createdAt: nil
    case .startedAt: "started_at_ms"
    case .finishedAt: "finished_at_ms"
    case .dataset: "dataset_name"
    case .name, .state, .kind, .priority, .health, .method, .top1, .loss, .rankme: field.rawValue
    case .runningSeconds:
      """
      (running_ms + CASE state WHEN 'running' THEN max(0, ?1 - claimed_at_ms)
        WHEN 'pausing' THEN max(0, ?1 - claimed_at_ms) WHEN 'cancelling' THEN max(0, ?1 - claimed_at_ms)
        ELSE 0 END)
      """
    case .queue: Self.queuePlace
    }
  }

  /// Each state has its range of places, with room for 10^13 jobs, the queued ones one for each priority.
  private static let queuePlace = """
    (CASE state
      WHEN 'running' THEN 0 WHEN 'pausing' THEN 0 WHEN 'cancelling' THEN 0
      WHEN 'queued' THEN 1000000000000000 + (100 - priority) * 10000000000000
      WHEN 'paused' THEN 3000000000000000 WHEN 'blocked' THEN 4000000000000000
      ELSE 6000000000000000 END
    + CASE WHEN finished_at_ms IS NULL THEN sequence ELSE - sequence END)
    """

  /// A job's value as a cursor has it.
  ///
  /// - Parameter row: has it as `sort_key`.
  func key(of row: Row) -> ByteString? {
    if field == .createdAt { return nil }
    switch values {
    case .integers: return row.optionalInteger("sort_key").map { ByteString("\($0)") }
    case .reals: return row.optionalReal("sort_key").map { ByteString("\($0)") }
    case .texts: return row.optionalText("sort_key").map { ByteString($0) }
    }
  }

  /// Whether a job may be sorted by this.
  func canHave(_ key: ByteString?) -> Bool {
    guard let key else { return field == .createdAt || isNullable }
    return field != .createdAt && value(key) != nil
  }

  /// A cursor's key as the column has it; `nil`: no job has such a value.
  func value(_ key: ByteString) -> Value? {
    switch values {
    case .integers: key.integer.map(Value.integer)
    case .reals: Double(key.string).map(Value.real)
    case .texts: .text(key)
    }
  }
}
