import JobStore
import Recipe
import Text

extension SubmissionReader {
  /// The model that a member of a `spec` names; one that is not there is noted.
  ///
  /// - Parameter pointer: to that member.
  func model(named name: ByteString, at pointer: String) -> ModelRecord? {
    if let model = knownModel(name) { return model }
    // Names beyond these are seen in GET /models; a store that cannot be read names none.
    let known = ((try? api.store.models()) ?? []).prefix(Self.modelsShownMax).map { "\"\($0.name)\"" }
    let hint = known.isEmpty ? "there are none" : "such as \(known.joined(separator: ", "))"
    problems.add("\(pointer)/model", "must be a model of GET /models (\(hint)), got \"\(name.shown)\"")
    return nil
  }

  /// The model of a name; a store that cannot be read is reported when the job is to be written.
  func knownModel(_ name: ByteString) -> ModelRecord? { try? api.store.model(named: name) }

  /// Models that an error names.
  private static let modelsShownMax = 8
}
