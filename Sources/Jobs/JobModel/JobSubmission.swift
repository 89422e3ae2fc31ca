import JSONText
import Recipe
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

  /// Reads the `spec` of a job of that kind as it was stored, maybe by an earlier version.
  package static func parse(
    _ json: JSON, kind: JobKind, at pointer: String = ""
  ) throws(SpecificationProblems) -> JobSpecification {
    let places = JobSubmission.specPlaces(kind)
    return switch kind {
    case .train: .train(try TrainSpecification.parse(json, at: pointer, places: places))
    case .evaluate:
      .evaluate(
        try EvaluateSpecification.parse(json, at: pointer, defaults: .stored, places: places))
    }
  }

  /// The text of `json`, made without it.
  package var jsonText: String {
    switch self {
    case .train(let specification): specification.jsonText
    case .evaluate(let specification): specification.jsonText
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

  /// Where the keys of the `spec` of a job of that kind belong, which may be next to it.
  package static func specPlaces(_ kind: JobKind) -> KeyPlaces {
    switch kind {
    case .train: trainSpecPlaces
    case .evaluate: evaluateSpecPlaces
    }
  }

  private static let trainPlaces = places([TrainSpecification.resolvedSchema])
  private static let evaluatePlaces = places([EvaluateSpecification.resolvedSchema])
  private static let anyPlaces = places([
    TrainSpecification.resolvedSchema, EvaluateSpecification.resolvedSchema,
  ])

  private static func places(_ specifications: [JSON]) -> KeyPlaces {
    KeyPlaces(["properties": ["spec": ["anyOf": .array(specifications)]]])
  }

  private static let trainSpecPlaces = KeyPlaces(
    TrainSpecification.resolvedSchema, outside: keys, name: "spec")
  private static let evaluateSpecPlaces = KeyPlaces(
    EvaluateSpecification.resolvedSchema, outside: keys, name: "spec")
}
