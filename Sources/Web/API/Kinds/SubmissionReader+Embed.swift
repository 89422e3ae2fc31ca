import JSONText
import JobModel
import Recipe

extension SubmissionReader {
  /// Reads and resolves the `spec` of an embedding; `nil`: it names no training that there is.
  func readEmbed(_ spec: JSON, _ policy: JobPolicy, at pointer: String) -> EmbedSpecification? {
    var spec = spec
    let training = findTraining(in: &spec, "checkpoint", policy, at: pointer)
    let trained = training.flatMap(dataset)
    let specification = EmbedSpecification.read(
      spec, at: pointer, dataset: trained, problems, places: JobKind.embed.traits.specPlaces)
    // Everything else that is wrong has been noted as well.
    guard let specification, training != nil || specification.checkpoint.model != nil else { return nil }
    if namesDataset(spec, or: trained, at: pointer),
      let summary = summary(of: specification.dataset.name, at: pointer)
    {
      specification.check(imageCounts: summary.counts, at: pointer, problems)
    }
    if let name = specification.checkpoint.model,
      let model = model(named: name, at: "\(pointer)/checkpoint")?.description,
      let problem = specification.layer.problem(with: model)
    {
      problems.add("\(pointer)/layer", problem)
    }
    // Every network has pooled maps.
    if specification.layer != .pooled, let trained = training.flatMap(self.specification(of:)),
      let problem = specification.layer.problem(with: trained)
    {
      problems.add("\(pointer)/layer", problem)
    }
    check(which: specification.checkpoint.which, of: training, at: "\(pointer)/checkpoint/which")
    return specification
  }
}
