import JSONText
import JobModel
import Recipe
import Text

/// Which jobs a list shows; what is `nil` or empty does not filter.
package struct JobFilter: Sendable {
  package var states: [JobState] = []
  package var kind: JobKind?
  package var health: [HealthState] = []
  /// The sweep whose trials they are.
  package var sweep: ByteString?
  /// Labels that a job must have, all of them, each with the value that it must have; any value if `nil`.
  package var labels: [(key: ByteString, value: ByteString?)] = []
  /// Texts that must occur in name, notes or labels (`KEY=VALUE`), each in any of them; ASCII letters count
  /// as the same in both cases.
  package var words: [ByteString] = []

  package init(
    states: [JobState] = [], kind: JobKind? = nil, health: [HealthState] = [], sweep: ByteString? = nil,
    labels: [(key: ByteString, value: ByteString?)] = [], words: [ByteString] = []
  ) {
    self.sweep = sweep
    self.states = states
    self.kind = kind
    self.health = health
    self.labels = labels
    self.words = words
  }

  /// Whether it filters by state alone, or not at all.
  var isByStateAlone: Bool {
    kind == nil && health.isEmpty && sweep == nil && labels.isEmpty && words.isEmpty
  }
}

/// By what a list is sorted. Jobs with the same value are in the order of their arrival, and those without
/// one come last; the arrival and the value have the same direction.
package struct JobOrder: Sendable, Equatable {
  /// What a list can be sorted by. Texts are compared as bytes.
  package enum Field: String, Sendable, CaseIterable {
    case createdAt = "created_at"
    case startedAt = "started_at"
    case finishedAt = "finished_at"
    case name, state, kind, priority, health
  }
  package var field: Field
  package var isDescending: Bool

  /// The newest first, where nothing else is said.
  package init(_ field: Field = .createdAt, isDescending: Bool = true) {
    self.field = field
    self.isDescending = isDescending
  }
}

/// One page of a list.
package struct JobPage: Sendable {
  package let jobs: [JobRecord]
  /// Where the next page begins; `nil`: this is the last one.
  package let next: JobCursor?
  /// Jobs that the filter leaves, on all pages.
  package let total: Int
}
