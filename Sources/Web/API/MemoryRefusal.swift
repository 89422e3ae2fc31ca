import JSONText
import JobModel
import JobStore
import Recipe

/// Why a job is refused that needs more memory than the machine has, and which field would have to change to
/// which value.
struct MemoryRefusal {
  /// The place in `spec`, as a JSON pointer without its first slash.
  let field: String
  /// What is allowed, why, and what was given.
  let message: String

  /// `nil`: the job fits, or nothing is known of its memory or of the machine's.
  init?(_ job: NewJob, training: TrainSpecification?, control: any JobControl) {
    guard let bytes = job.cost.memoryBytes, let there = control.machineMemoryBytes, bytes > there else {
      return nil
    }
    let figures = "needs \(bytes >> 20) MiB of memory, this machine has \(there >> 20)"
    let fits = { (specification: JobSpecification) in
      control.cost(of: specification, training: training).memoryBytes ?? 0 <= there
    }
    let kind = SubmissionKind.all.first { $0.kind == job.specification.kind }
    guard let refusal = kind?.memoryRefusal(job.specification, figures, fits) else { return nil }
    self = refusal
  }

  init(_ given: TrainSpecification, _ figures: String, fits: (TrainSpecification) -> Bool) {
    var least = given
    let batchSize = Self.largest(TrainSpecification.batchSizeMin...given.batchSize) {
      least.batchSize = $0
      return fits(least)
    }
    if let batchSize {
      field = "batch_size"
      message =
        "must be ≤ \(batchSize), or the network narrower\(Self.fewerViews(than: given, fits: fits)): the "
        + "training \(figures), got \(given.batchSize)"
      return
    }
    least.batchSize = TrainSpecification.batchSizeMin
    let limit = Self.largest(Self.limits(given.dataset.limit)) {
      least.dataset.limit = $0
      return fits(least)
    }
    if let limit {
      field = "dataset/limit"
      message =
        "must be ≤ \(limit), with a batch_size of \(least.batchSize): the training \(figures), "
        + JSON.optional(given.dataset.limit).phrase
      return
    }
    field = "encoder/width"
    message =
      "must be smaller, or projector.widths or image_size, as no batch_size and no dataset.limit are small "
      + "enough: the training \(figures), got \(given.encoder.width)"
  }

  init(_ given: EvaluateSpecification, _ figures: String, fits: (EvaluateSpecification) -> Bool) {
    var least = given
    if given.protocol == .finetune {
      let batchSize = Self.largest(FineTuneSpecification.batchSizes.lowerBound...given.finetune.batchSize) {
        least.finetune.batchSize = $0
        return fits(least)
      }
      if let batchSize {
        field = "finetune/batch_size"
        message =
          "must be ≤ \(batchSize): the evaluation \(figures), got \(given.finetune.batchSize)"
        return
      }
      least.finetune.batchSize = FineTuneSpecification.batchSizes.lowerBound
    }
    let limit = Self.largest(Self.limits(given.dataset.limit)) {
      least.dataset.limit = $0
      return fits(least)
    }
    if let limit {
      field = "dataset/limit"
      let batch = given.protocol == .finetune ? ", with a batch_size of \(least.finetune.batchSize)" : ""
      message =
        "must be ≤ \(limit)\(batch): the evaluation \(figures), "
        + JSON.optional(given.dataset.limit).phrase
    } else {
      (field, message) = Self.narrower(given.checkpoint, "evaluation", figures)
    }
  }

  init(_ given: EmbedSpecification, _ figures: String, fits: (EmbedSpecification) -> Bool) {
    var least = given
    let limit = Self.largest(Self.limits(given.dataset.limit)) {
      least.dataset.limit = $0
      return fits(least)
    }
    if let limit {
      field = "dataset/limit"
      message = "must be ≤ \(limit): the embedding \(figures), \(JSON.optional(given.dataset.limit).phrase)"
    } else {
      (field, message) = Self.narrower(given.checkpoint, "embedding", figures)
    }
  }

  /// That no number of images is small enough.
  private static func narrower(
    _ given: CheckpointReference, _ what: String, _ figures: String
  ) -> (field: String, message: String) {
    let kind = given.model == nil ? "job" : "model"
    let network = given.model == nil ? "a training of a narrower network" : "a narrower model"
    return (
      "checkpoint/\(kind)",
      "must be \(network), as no dataset.limit is small enough: the \(what) \(figures), got "
        + "\"\(given.job?.text ?? given.model?.shown ?? "")\""
    )
  }

  /// How many views fit at the given batch size, where there may be fewer; empty: none do.
  private static func fewerViews(
    than given: TrainSpecification, fits: (TrainSpecification) -> Bool
  ) -> String {
    var least = given
    if let local = given.localViews, local.count > 1 {
      let count = largest(1...local.count) {
        least.localViews?.count = $0
        return fits(least)
      }
      if let count { return ", or local_views.count ≤ \(count)" }
      least.localViews?.count = 1
    }
    guard given.views > viewsMin else { return "" }
    let views = largest(viewsMin...given.views) {
      least.views = $0
      return fits(least)
    }
    let local = given.localViews == nil ? "" : " with one local view"
    return views.map { ", or views ≤ \($0)\(local)" } ?? ""
  }

  /// Views that every method takes.
  private static let viewsMin = 2

  /// The limits below the one given.
  private static func limits(_ given: Int?) -> ClosedRange<Int> {
    DatasetSelection.limits.lowerBound...(given ?? DatasetSelection.limits.upperBound)
  }

  /// The largest value of a range that fits, where a larger one never fits better than a smaller one; `nil`:
  /// none does.
  private static func largest(_ range: ClosedRange<Int>, fits: (Int) -> Bool) -> Int? {
    guard fits(range.lowerBound) else { return nil }
    var (possible, refused) = (range.lowerBound, range.upperBound + 1)
    while refused - possible > 1 {
      let middle = possible + (refused - possible) / 2
      if fits(middle) { possible = middle } else { refused = middle }
    }
    return possible
  }
}
