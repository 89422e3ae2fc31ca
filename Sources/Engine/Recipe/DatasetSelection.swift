import JSONText
import Text

/// Which images: the `dataset` of a training.
package struct DatasetSelection: JSONRecord, Equatable {
  /// The part of a dataset.
  package enum Split: String, Sendable, CaseIterable { case train, test }
  /// `fashion-mnist`, `synthetic`, or the name of a dataset registered by path.
  package var name: ByteString
  package var split: Split
  /// Uses only the first N images; `nil`: all.
  package var limit: Int?
  /// What `limit` can be.
  package static let limits = 2...1_000_000_000

  package init(
    name: ByteString, split: Split, limit: Int? = nil
  ) {
    self.name = name
    self.split = split
    self.limit = limit
  }

  package static let fields = Fields<Self> {
    Field(
      "name", \.name, .line(charactersMax: 1024),
      "A dataset of GET /datasets, or a path in one of the forms of --dataset-root.")
    Field("split", \.split, .choice, "The part of the dataset.")
    Field(
      "limit", \.limit, .integerOrNull(limits), "Use only the first N images; null: all.")
  }
}
