import JSONText
import Text

/// What a job of some kind is to do, resolved: the `spec` of its jobs. Each kind has one such type, from
/// which the queue, the API and the dispatcher learn what a job needs.
package protocol WorkSpecification: JSONRecord, Equatable {
  /// What the `spec` of a request may be, as a JSON Schema.
  static var schema: JSON { get }
  /// What the resolved `spec` of an answer may be, as a JSON Schema.
  static var resolvedSchema: JSON { get }
  /// Reads a `spec` that was resolved before.
  ///
  /// - Parameter places: where keys belong that are in a wrong place.
  static func read(
    resolved json: JSON, at pointer: String, places: KeyPlaces
  ) throws(SpecificationProblems) -> Self
  /// The dataset that a job reads; `nil`: none.
  var datasetUse: DatasetUse? { get }
  /// The checkpoint of another job, or the model, that a job reads; `nil`: none.
  var checkpointUse: CheckpointReference? { get }
  /// Optimiser steps of the whole run on a dataset of that size; `nil`: that is not known before it begins.
  func stepCount(imageCounts: [DatasetSelection.Split: Int]) -> Int?
}

extension WorkSpecification {
  /// Most kinds read no checkpoint.
  package var checkpointUse: CheckpointReference? { nil }
  /// Most kinds have steps of their own.
  package func stepCount(imageCounts: [DatasetSelection.Split: Int]) -> Int? { nil }

  /// Whether the other is of the same kind and equal.
  package func isEqual(to other: any WorkSpecification) -> Bool { (other as? Self) == self }
}

/// Which dataset a job reads.
package struct DatasetUse: Sendable, Equatable {
  package var name: ByteString
  /// The only split that is read; `nil`: all.
  package var split: DatasetSelection.Split?

  package init(name: ByteString, split: DatasetSelection.Split? = nil) {
    self.name = name
    self.split = split
  }
}

extension TrainSpecification: WorkSpecification {
  package static func read(
    resolved json: JSON, at pointer: String, places: KeyPlaces
  ) throws(SpecificationProblems) -> TrainSpecification { try parse(json, at: pointer, places: places) }

  package var datasetUse: DatasetUse? { DatasetUse(name: dataset.name, split: dataset.split) }

  package func stepCount(imageCounts: [DatasetSelection.Split: Int]) -> Int? {
    imageCounts[dataset.split].map { stepCount(imageCount: $0) }
  }
}

extension EvaluateSpecification: WorkSpecification {
  package static func read(
    resolved json: JSON, at pointer: String, places: KeyPlaces
  ) throws(SpecificationProblems) -> EvaluateSpecification {
    // Maybe an earlier version wrote it.
    try parse(json, at: pointer, defaults: .stored, places: places)
  }

  package var datasetUse: DatasetUse? { DatasetUse(name: dataset.name) }

  package var checkpointUse: CheckpointReference? { checkpoint }
}

extension ImportSpecification: WorkSpecification {
  package static func read(
    resolved json: JSON, at pointer: String, places: KeyPlaces
  ) throws(SpecificationProblems) -> ImportSpecification { try parse(json, at: pointer, places: places) }

  /// It reads none: it makes one.
  package var datasetUse: DatasetUse? { nil }
}
