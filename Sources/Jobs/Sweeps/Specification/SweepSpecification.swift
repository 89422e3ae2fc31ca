import JSONText
import Text

/// What a request asks of a sweep, and what its `spec` shows: every field by name.
package struct SweepSpecification: JSONRecord {
  /// A job as `POST /jobs` takes it; each trial is this job with other values.
  package var base: JSON = ["kind": "train"]
  /// The `spec` of the evaluation of each training, without its checkpoint; nil: there is none.
  package var evaluate: JSON?
  package var space: [Parameter] = []
  package var search = Search()
  /// nil: every trial trains to its end.
  package var earlyStopping: EarlyStopping?
  package var objective = Objective()
  /// Trainings per trial, which differ in their seed.
  package var seeds = 1
  /// nil: until the space is exhausted.
  package var maxTrials: Int?
  /// nil: any number, or one if the searcher learns.
  package var maxConcurrent: Int?
  package var maxFailed = SweepPlan.maxFailedDefault
  /// Seconds from the start of the first trial; nil: as long as it takes.
  package var maxDurationSeconds: Int?

  package static let maxTrialsRange = 1...10_000
  package static let seedsRange = 1...100
  package static let maxDurationRange = 1...31_536_000

  package init() {}

  package static let fields = Fields<Self> {
    Field(
      "base", \.base, .object,
      "A train job as POST /jobs takes it; each trial is this job with other values.")
    Field(
      "evaluate", \.evaluate, .objectOrNull,
      "The spec of an evaluation of each training, without its checkpoint; null: there is none."
    ).then { if $0.evaluate != nil { $0.objective = .top1 } }
    Field(
      "space", \.space, .space,
      "Parameters by JSON pointer into the base's spec: choice, uniform, log_uniform or int, and with `if` "
        + "the values that other parameters must have."
    ).required("must be an object with at least one parameter")
    Field("search", \.search, .record, "How configurations are chosen.")
    Field(
      "early_stopping", \.earlyStopping, .recordOrNull(EarlyStopping()),
      "Which trials train longer; null: all train to their end.")
    Field("objective", \.objective, .record, "What is compared.").withoutDefault()
    Field(
      "seeds", \.seeds, .integer(seedsRange),
      "Trainings per trial, with the seed of the base and those after it; the trial's value is their mean.")
    Field(
      "max_trials", \.maxTrials, .integerOrNull(maxTrialsRange),
      "Trials in all; null: until every configuration of a finite space has had one.")
    Field(
      "max_concurrent", \.maxConcurrent, .integerOrNull(maxTrialsRange),
      "Trials that are queued or running at a time; null: one for tpe and gp, which learn from those before, "
        + "else any number.")
    Field(
      "max_failed", \.maxFailed, .integer(0...maxTrialsRange.upperBound),
      "The sweep fails when more trials than this have failed for good.")
    Field(
      "max_duration_seconds", \.maxDurationSeconds, .integerOrNull(maxDurationRange),
      "Seconds from the start of its first trial after which the sweep ends with what it has found; null: as "
        + "long as it takes.")
  }

  /// How configurations are chosen.
  package struct Search: JSONRecord, Equatable {
    package var name: Searcher
    package var seed: UInt64

    package init(name: Searcher = .tpe, seed: UInt64 = 0) {
      self.name = name
      self.seed = seed
    }

    package static let fields = Fields<Self> {
      Field(
        "name", \.name, .choice,
        "grid: every configuration of a finite space; random; sobol: points that cover the space evenly; tpe "
          + "and gp learn from the trials before, gp at most \(Searcher.gpTrialsMax).")
      Field("seed", \.seed, .seed, "Of the choice; the same sweep and seed ask for the same trials.")
    }
  }

  /// Which trials train longer.
  package struct EarlyStopping: JSONRecord, Equatable {
    /// The rule.
    package enum Name: String, Sendable, CaseIterable { case asha }
    package var name = Name.asha
    package var reductionFactor = 3
    package var minEpochs = 1
    package var maxEpochs = 0

    package init() {}

    package static let fields = Fields<Self> {
      Field("name", \.name, .choice, "asha: asynchronous successive halving.")
      Field(
        "reduction_factor", \.reductionFactor, .integer(2...SuccessiveHalving.reductionFactorMax),
        "Of so many trials that have reached a rung, one goes on to the next.")
      Field("min_epochs", \.minEpochs, .integer(1...1_000_000), "Epochs of the first rung.")
      Field(
        "max_epochs", \.maxEpochs, .integer(1...1_000_000),
        "Epochs of the longest training, over which the schedule of every trial spans."
      ).required("must be a whole number from 1 to 1000000").withoutDefault()
    }
  }

  /// What is compared.
  package struct Objective: JSONRecord, Equatable {
    package var metric: ByteString
    package var mode: ObjectiveMode

    package init(metric: ByteString = "loss", mode: ObjectiveMode = .min) {
      self.metric = metric
      self.mode = mode
    }

    /// Accuracy by the evaluation of each trial.
    package static let top1 = Objective(metric: top1Name, mode: .max)
    package static let top1Name: ByteString = "evaluation.top1"

    package static let fields = Fields<Self> {
      Field(
        "metric", \.metric, .line(charactersMax: 80),
        "evaluation.top1, or a metric's last value in the job's summary, such as loss; loss.mean, loss.min "
          + "and loss.max are the other values of the summary."
      ).then { $0.mode = $0.isAccuracy ? .max : .min }
      Field(
        "mode", \.mode, .choice, "Whether small or large values are better; default: max for accuracies.")
    }

    private var isAccuracy: Bool { metric == Self.top1Name || source?.metric.hasSuffix("top1") == true }

    /// The member of the summary: of which metric, and which value; nil: the evaluation's accuracy.
    package var source: (metric: ByteString, value: ByteString)? {
      if metric == Self.top1Name { return nil }
      let (name, value) = metric.divided(at: 0x2E)
      return (name, value ?? "last")
    }

    /// Values of a metric that the summary has.
    package static let values: [ByteString] = ["last", "mean", "min", "max"]
  }
}

extension SweepSpecification {
  /// Reads what a request asks for; what is wrong is noted by the reader.
  ///
  /// - Returns: nil: something of it is wrong.
  package static func read(_ reader: ObjectReader) -> (specification: SweepSpecification, plan: SweepPlan)? {
    let before = reader.problems.total
    var specification = SweepSpecification()
    specification.read(reader)
    guard reader.problems.total == before else { return nil }
    do {
      let plan = try specification.plan()
      for problem in plan.problems { reader.add(problem) }
      return reader.problems.total == before ? (specification, plan) : nil
    } catch {
      for problem in error.problems { reader.add(problem) }
      return nil
    }
  }

  /// Reads a `spec` that `json` has made.
  ///
  /// - Throws: `SpecificationProblems` for another one.
  package static func parse(_ json: JSON) throws(SpecificationProblems) -> (
    specification: SweepSpecification, plan: SweepPlan
  ) {
    let problems = ProblemList()
    let result = read(ObjectReader(json, at: "", problems))
    try problems.check()
    guard let result else { throw SpecificationProblems([("", "must be a sweep")]) }
    return result
  }

  /// What the searchers need of it.
  package func plan() throws(InvalidSpace) -> SweepPlan {
    var problems: [SpaceProblem] = []
    func checked<Value>(_ member: ByteString, _ make: () throws(InvalidSpace) -> Value) -> Value? {
      do {
        return try make()
      } catch {
        problems += error.problems.map { SpaceProblem([member] + $0.path, $0.message) }
        return nil
      }
    }
    let space = checked("space") { () throws(InvalidSpace) in try SearchSpace(reachableSpace) }
    let halving = earlyStopping.flatMap { stopping in
      checked("early_stopping") { () throws(InvalidSpace) in
        try SuccessiveHalving(
          reductionFactor: stopping.reductionFactor, minEpochs: stopping.minEpochs,
          maxEpochs: stopping.maxEpochs)
      }
    }
    guard let space, problems.isEmpty else { throw InvalidSpace(problems: problems) }
    return SweepPlan(
      space: space, searcher: search.name, seed: search.seed, mode: objective.mode, halving: halving,
      maxTrials: maxTrials, maxConcurrent: maxConcurrent, maxFailed: maxFailed)
  }
}

extension ObjectReader {
  /// Notes what is wrong with the plan of a sweep.
  fileprivate func add(_ problem: SpaceProblem) {
    problems.add(problem.path.reduce(pointer) { ObjectReader.pointer(to: $1, in: $0) }, problem.message)
  }
}

extension Form where Value == JSON {
  /// Any object.
  fileprivate static var object: Form {
    Form(
      schema: ["type": "object"], requirement: { _ in "must be an object" },
      parse: { $0.object.map(JSON.object) }, json: { $0 })
  }
}

extension Form where Value == JSON? {
  /// Any object, or `null`.
  fileprivate static var objectOrNull: Form {
    Form(
      schema: ["type": ["object", "null"]], requirement: { _ in "must be null or an object" },
      parse: { $0.orNull { $0.object.map(JSON.object) } }, json: { $0 ?? .null })
  }
}
