import JobModel
import Recipe
import RunFolder
import Training

/// How a worker does the work of one kind of job.
struct Runner: Sendable {
  private let run: @Sendable (Run, RunSpec) throws -> StopRequest?

  /// - Parameter body: does the work; what it returns is what it was stopped by, `nil`: it came to the end.
  private init<Work: WorkSpecification>(
    _ work: Work.Type, _ body: @escaping @Sendable (Run, Work, RunSpec) throws -> StopRequest?
  ) {
    run = { run, spec in
      guard let work = spec.specification.work as? Work else {
        preconditionFailure("a \(spec.specification.kind.rawValue) job has a \(Work.self)")
      }
      return try body(run, work, spec)
    }
  }

  private static func of(_ kind: JobKind) -> Runner {
    switch kind {
    case .train: Runner(TrainSpecification.self) { try $0.train($1, $2) }
    case .evaluate: Runner(EvaluateSpecification.self) { try $0.evaluate($1, $2) }
    case .embed: Runner(EmbedSpecification.self) { try $0.embed($1, $2) }
    case .import: Runner(ImportSpecification.self) { try $0.importDataset($1, $2) }
    }
  }

  /// Does the work of a job; `nil`: to the end.
  static func run(_ spec: RunSpec, in run: Run) throws -> StopRequest? {
    try of(spec.specification.kind).run(run, spec)
  }
}
