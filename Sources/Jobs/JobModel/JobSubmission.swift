import JSONText
import Text

/// What a job is to do, resolved.
package enum JobSpecification: Sendable, Equatable {
  case train(TrainSpecification)
  case evaluate(EvaluateSpecification)

  package var kind: JobKind {
    switch self {
    case .train: .train
    case .evaluate: .evaluate
    }
  }

  /// Every field by name.
  package var json: JSON {
    switch self {
    case .train(let specification): specification.json
    case .evaluate(let specification): specification.json
    }
  }

  /// Reads the `spec` of a job of that kind.
  package static func parse(
    _ json: JSON, kind: JobKind, at pointer: String = ""
  ) throws(SpecificationProblems) -> JobSpecification {
    switch kind {
    case .train: .train(try TrainSpecification.parse(json, at: pointer))
    case .evaluate: .evaluate(try EvaluateSpecification.parse(json, at: pointer))
    }
  }
}

/// What a request says of a job.
package enum JobSubmission {
  /// The keys that stand next to `spec`.
  package static let keys: [ByteString] =
    (["kind", "needs", "spec"] + JobLabelling.schemas.keys + JobPolicy.schemas.keys).sorted()

  /// Where the keys of a job of that kind belong.
  package static func places(_ kind: JobKind?) -> KeyPlaces {
    switch kind {
    case .train: trainPlaces
    case .evaluate: evaluatePlaces
    case nil: anyPlaces
    }
  }

  private static let trainPlaces = places([TrainSpecification.schema])
  private static let evaluatePlaces = places([EvaluateSpecification.schema])
  private static let anyPlaces = places([TrainSpecification.schema, EvaluateSpecification.schema])

  private static func places(_ specifications: [JSON]) -> KeyPlaces {
    KeyPlaces(["properties": ["spec": ["anyOf": .array(specifications)]]])
  }
}
