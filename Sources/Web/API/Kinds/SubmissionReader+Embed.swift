import JSONText
import JobModel
import Recipe

extension SubmissionReader {
  /// Reads and resolves the `spec` of an embedding; `nil`: it names no training or model that there is.
  func readEmbed(_ spec: JSON, _ policy: JobPolicy, at pointer: String) -> EmbedSpecification? {
    var spec = spec
    let training = findTraining(in: &spec, "checkpoint", policy, at: pointer)
    let specification = EmbedSpecification.read(
      spec, at: pointer, dataset: training.flatMap(dataset), problems,
      places: JobKind.embed.traits.specPlaces)
    // Everything else that is wrong has been noted as well.
    guard let specification else { return nil }
    var problem: String?
    if let name = specification.checkpoint.model {
      guard let model = model(named: name, at: "\(pointer)/checkpoint") else { return nil }
      problem = specification.layer.problem(with: model.description)
    } else {
      guard let training else { return nil }
      check(which: specification.checkpoint.which, of: training, at: "\(pointer)/checkpoint/which")
      // Every network has pooled maps.
      if specification.layer != .pooled, let trained = self.specification(of: training) {
        problem = specification.layer.problem(with: trained)
      }
    }
    if let problem { problems.add("\(pointer)/layer", problem) }
    if let summary = summary(of: specification.dataset.name, at: pointer) {
      specification.check(imageCounts: summary.counts, at: pointer, problems)
    }
    return specification
  }
}
