import JSONText
import JobModel
import Recipe

/// How `POST /jobs` takes jobs of one kind. A kind that is not in `all` is queued by routes of its own.
struct SubmissionKind: Sendable {
  let kind: JobKind
  /// Whether a request must have a `spec`, as not every field of it has a default.
  let isSpecRequired: Bool
  /// Reads and resolves a `spec` with everything that must be there for it.
  ///
  /// - Returns: `nil` if nothing can be made of it; then problems have been noted.
  let read: @Sendable (SubmissionReader, JSON, JobPolicy, _ pointer: String) -> JobSpecification?
  /// Which field would have to change so that a job takes less memory, and to which value.
  ///
  /// - Parameters:
  ///   - figures: what the job needs and what there is.
  ///   - fits: whether a changed specification would fit.
  let memoryRefusal:
    @Sendable (JobSpecification, _ figures: String, _ fits: (JobSpecification) -> Bool) -> MemoryRefusal?

  /// Every kind that `POST /jobs` takes.
  static let all: [SubmissionKind] = [.train, .evaluate, .embed]

  static let train = SubmissionKind(
    kind: .train, isSpecRequired: false,
    read: { reader, spec, policy, pointer in .train(reader.readTrain(spec, policy, at: pointer)) },
    memoryRefusal: { job, figures, fits in
      job.train.map { MemoryRefusal($0, figures) { fits(.train($0)) } }
    })

  static let evaluate = SubmissionKind(
    kind: .evaluate, isSpecRequired: true,
    read: { reader, spec, policy, pointer in
      reader.readEvaluate(spec, policy, at: pointer).map(JobSpecification.evaluate)
    },
    memoryRefusal: { job, figures, fits in
      job.evaluate.map { MemoryRefusal($0, figures) { fits(.evaluate($0)) } }
    })

  static let embed = SubmissionKind(
    kind: .embed, isSpecRequired: true,
    read: { reader, spec, policy, pointer in
      reader.readEmbed(spec, policy, at: pointer).map(JobSpecification.embed)
    },
    memoryRefusal: { job, figures, fits in
      job.embed.map { MemoryRefusal($0, figures) { fits(.embed($0)) } }
    })
}

extension JobKind {
  /// The name of its schemas in `/openapi.json`, such as `Train` of `TrainJob` and `TrainSpecification`.
  var schemaName: String {
    switch self {
    case .train: "Train"
    case .evaluate: "Evaluate"
    case .embed: "Embed"
    case .import: "Import"
    }
  }
}
