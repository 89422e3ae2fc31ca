import JSONText
import Recipe
import Text

/// What a request says of a job.
package enum JobSubmission {
  /// The keys that stand next to `spec`.
  package static let keys: [ByteString] =
    (["kind", "needs", "spec"] + JobLabelling.schemas.keys + JobPolicy.schemas.keys).sorted()

  /// Where the keys of a job of an unknown kind belong.
  package static let anyPlaces = places(of: JobKind.allCases.map(\.traits.specification))

  /// Where the keys of a job belong whose `spec` is one of these.
  static func places(of specifications: [any WorkSpecification.Type]) -> KeyPlaces {
    KeyPlaces(["properties": ["spec": ["anyOf": .array(specifications.map { $0.resolvedSchema })]]])
  }
}
