import JSONText
import Recipe
import Text

/// What a job does.
///
/// **How to add a kind.** Its specification is a `WorkSpecification` in `Recipe`; its traits are here; how
/// `POST /jobs` takes it is a `SubmissionKind` in `API/Kinds`; how a worker does it is a `Runner` in
/// `Worker`. Nothing else lists the kinds.
package enum JobKind: String, Sendable, CaseIterable {
  case train, evaluate, embed
  case `import`

  /// Everything that the queue, the API and the dispatcher know of jobs of this kind.
  package var traits: JobTraits {
    switch self {
    case .train: .train
    case .evaluate: .evaluate
    case .embed: .embed
    case .import: .import
    }
  }
}

/// What is known of the jobs of one kind.
package struct JobTraits: Sendable {
  /// The type of their `spec`.
  package let specification: any WorkSpecification.Type
  /// The metrics that their lines may have.
  package let metricNames: [String]
  /// Whether they leave checkpoints that other jobs may name.
  package let leavesCheckpoints: Bool
  /// Whether they have a `result`.
  package let hasResult: Bool
  /// Whether their steps are of equal length and parts of epochs, so that a pace follows from their lines.
  package let isPaced: Bool
  /// Where the keys of a submitted job belong, those of its `spec` among them.
  package let places: KeyPlaces
  /// Where the keys of a `spec` belong, which may be next to it.
  package let specPlaces: KeyPlaces

  private init(
    _ specification: any WorkSpecification.Type, metricNames: [String] = [], leavesCheckpoints: Bool = false,
    hasResult: Bool = false, isPaced: Bool = false
  ) {
    self.specification = specification
    self.metricNames = metricNames
    self.leavesCheckpoints = leavesCheckpoints
    self.hasResult = hasResult
    self.isPaced = isPaced
    places = JobSubmission.places(of: [specification])
    specPlaces = KeyPlaces(specification.resolvedSchema, outside: JobSubmission.keys, name: "spec")
  }

  fileprivate static let train = JobTraits(
    TrainSpecification.self, metricNames: TrainSpecification.metricNames, leavesCheckpoints: true,
    isPaced: true)

  fileprivate static let evaluate = JobTraits(
    EvaluateSpecification.self,
    metricNames: [
      "loss", "top1", "loss_untrained", "top1_untrained", "loss_raw_pixels", "top1_raw_pixels", "lr",
      "images_per_second",
    ], hasResult: true)

  fileprivate static let embed = JobTraits(
    EmbedSpecification.self, metricNames: ["images", "images_per_second"], hasResult: true, isPaced: true)

  fileprivate static let `import` = JobTraits(
    ImportSpecification.self,
    metricNames: ["entries", "images", "skipped", "bytes", "written", "images_per_second"], hasResult: true)
}

extension JobSpecification {
  /// What a job is to train.
  package static func train(_ specification: TrainSpecification) -> JobSpecification {
    JobSpecification(.train, specification)
  }

  /// What a job is to evaluate.
  package static func evaluate(_ specification: EvaluateSpecification) -> JobSpecification {
    JobSpecification(.evaluate, specification)
  }

  /// What a job is to embed.
  package static func embed(_ specification: EmbedSpecification) -> JobSpecification {
    JobSpecification(.embed, specification)
  }

  /// What a job is to import.
  package static func `import`(_ specification: ImportSpecification) -> JobSpecification {
    JobSpecification(.import, specification)
  }

  /// What it is to train; `nil`: it is of another kind.
  package var train: TrainSpecification? { work as? TrainSpecification }
  /// What it is to evaluate; `nil`: it is of another kind.
  package var evaluate: EvaluateSpecification? { work as? EvaluateSpecification }
  /// What it is to embed; `nil`: it is of another kind.
  package var embed: EmbedSpecification? { work as? EmbedSpecification }
}
