import JSONText
import Recipe
import Text

/// What a job is to do, resolved.
package struct JobSpecification: Sendable {
  package let kind: JobKind
  /// A value of the type `kind.traits.specification`.
  package let work: any WorkSpecification

  init(_ kind: JobKind, _ work: some WorkSpecification) {
    self.kind = kind
    self.work = work
  }

  /// Every field by name.
  package var json: JSON { work.json }

  /// The text of `json`, made without it.
  package var jsonText: String { work.jsonText }

  /// Reads the resolved `spec` of a job of that kind.
  package static func parse(
    _ json: JSON, kind: JobKind, at pointer: String = ""
  ) throws(SpecificationProblems) -> JobSpecification {
    let work = try kind.traits.specification.read(resolved: json, at: pointer, places: kind.traits.specPlaces)
    return JobSpecification(kind, work)
  }
}

extension JobSpecification: Equatable {
  package static func == (one: JobSpecification, other: JobSpecification) -> Bool {
    one.kind == other.kind && one.work.isEqual(to: other.work)
  }
}
