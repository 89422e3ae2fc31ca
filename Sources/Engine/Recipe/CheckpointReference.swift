import JSONText
import Text

/// Whose weights a job takes: a checkpoint of another job, by which it depends on that one, or a model that
/// was uploaded. Once it has been read it has either a job or a model.
package struct CheckpointReference: JSONRecord, Hashable {
  /// The job whose checkpoint it is; `nil`: it is a model.
  package var job: JobID?
  /// `last`, `best`, or a checkpoint's name as the job's list gives it; without meaning for a model.
  package var which: ByteString
  /// The name of the model; `nil`: it is a checkpoint of a job.
  package var model: ByteString?

  /// What `which` asks for.
  package enum Choice: Sendable, Equatable {
    /// The newest when the job has ended.
    case last
    /// The best by the job's `keep_best` when it has ended.
    case best
    /// The one of that name, which exists when it is named.
    case named(ByteString)

    /// Whether it is known only when the job has ended.
    package var waitsForEnd: Bool { if case .named = self { false } else { true } }

    package init(_ which: ByteString) {
      switch which {
      case "last": self = .last
      case "best": self = .best
      default: self = .named(which)
      }
    }
  }

  /// What `which` asks for.
  package var choice: Choice { Choice(which) }

  package init(job: JobID, which: ByteString) {
    self.job = job
    self.which = which
  }

  package init(model: ByteString) {
    self.model = model
    which = "last"
  }

  private init() { which = "last" }

  /// What is read on top of: neither a job nor a model.
  static let template = CheckpointReference()

  /// What one may be, for messages.
  static let requirement = "{\"job\": ID, \"which\": \"last\"} or {\"model\": NAME}"

  /// Whether it has a job or a model.
  var isComplete: Bool { job != nil || model != nil }

  /// How messages name it.
  package var phrase: String {
    if let model { return "the model \"\(model.shown)\"" }
    return "checkpoint \"\(which.shown)\" of job \(job?.text ?? "")"
  }

  package static let fields = Fields<Self> {
    Field(
      "model", \.model, .lineOrNull(charactersMax: 255),
      "The name of a model of GET /models, in place of `job` and `which`."
    ).when("job is not given") { $0.job == nil }.withoutDefault()
    Field(
      "which", \.which, .line(charactersMax: 255),
      "Which of its checkpoints: `last` or `best` (by the training's checkpoint.keep_best), for which the "
        + "job waits until the training has ended; or the name of a checkpoint that exists, which is kept "
        + "for the job."
    ).when("model is not given") { $0.model == nil }
    Field("job", \.job, .jobID, "The id of a train job.")
      .when("model is not given") { $0.model == nil }
      .required("must be the id of a train job, or model must be given").withoutDefault()
  }
}

extension Form where Value == JobID? {
  /// The id of a train job.
  fileprivate static var jobID: Form {
    Form(
      schema: ["type": "string"], requirement: { _ in "must be the id of a train job" },
      parse: { value in value.string.flatMap { JobID($0) }.map { .some($0) } }, json: { .optional($0?.text) })
  }
}
