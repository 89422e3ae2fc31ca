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
  /// Names of datasets, one of which the job reads or imports.
  package var datasets: [ByteString] = []
  /// Methods, one of which a training has, or what an evaluation evaluates.
  package var methods: [ByteString] = []
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
  var isByStateAlone: Bool { hasIndexes && kind == nil && health.isEmpty && sweep == nil && labels.isEmpty }

  /// Whether each of its conditions has an index of its own, in the order of arrival.
  var hasIndexes: Bool { datasets.isEmpty && methods.isEmpty && words.isEmpty }
}

/// One page of a list.
package struct JobPage: Sendable {
  package let jobs: [JobRecord]
  /// Where the next page begins; `nil`: this is the last one.
  package let next: JobCursor?
  /// Jobs that the filter leaves, on all pages.
  package let total: Int
}
