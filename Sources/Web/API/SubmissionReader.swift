import HTTP
import JSONText
import JobModel
import JobStore
import Recipe
import RunFolder
import Text

/// Reads a submitted job, with everything that has to be there for it: datasets, and the training that it
/// evaluates.
struct SubmissionReader {
  let api: API
  let problems: ProblemList
  /// What is known of the datasets that jobs name.
  let looks: DatasetLooks
  /// The earlier jobs of the same request that have a `ref`.
  var refs: [ByteString: NewJob] = [:]
  /// What is known of jobs that have been named.
  let standings = Standings()

  init(api: API, problems: ProblemList, looks: DatasetLooks) {
    self.api = api
    self.problems = problems
    self.looks = looks
  }

  /// - Returns: `nil` if the kind is not known or nothing can be made of it; then problems have been noted.
  func read(_ json: JSON, at pointer: String, isInBatch: Bool) -> (job: NewJob, ref: ByteString?)? {
    let kind = json["kind"]?.string.flatMap(JobKind.init(bytes:))
    let reader = ObjectReader(
      json, at: pointer, problems, places: kind?.traits.places ?? JobSubmission.anyPlaces)
    guard reader.isObject else { return nil }
    var labelling = JobLabelling()
    labelling.read(reader)
    var policy = JobPolicy()
    policy.read(reader)
    let needs = readNeeds(reader, policy)
    var ref: ByteString?
    if isInBatch, reader.value("ref") != nil {
      var text: ByteString = ""
      reader.read("ref", Self.ref, into: &text)
      ref = text
    }
    let spec = reader.value("spec") ?? [:]
    _ = reader.value("kind")
    guard let kind = SubmissionKind.all.first(where: { $0.kind == kind }) else {
      reader.refuse("kind", JSON.requirement(among: SubmissionKind.all.map(\.kind.rawValue)))
      reader.finish()
      return nil
    }
    reader.finish()
    guard let specification = kind.read(self, spec, policy, "\(pointer)/spec") else { return nil }
    return (newJob(specification, labelling, policy, needs: needs), ref)
  }

  /// The job of a specification that was read, with what is known of its datasets and checkpoints.
  func newJob(
    _ specification: JobSpecification, _ labelling: JobLabelling, _ policy: JobPolicy, needs: [JobID] = []
  ) -> NewJob {
    var job = NewJob(
      id: api.store.newID(), labelling: labelling, specification: specification, policy: policy, needs: needs,
      steps: steps(specification), dataset: fingerprint(specification))
    job.stepsDone = stepsDone(before: specification)
    job.readsImported = readsImported(specification)
    job.model = specification.work.checkpointUse?.model.flatMap(knownModel)?.id
    return job
  }

  private func readsImported(_ specification: JobSpecification) -> Bool {
    guard let use = specification.work.datasetUse, case .success(let summary)? = looks.look(use.name) else {
      return false
    }
    return summary.isImported
  }

  /// The jobs that `needs` names: ids, or refs of the same request.
  private func readNeeds(_ reader: ObjectReader, _ policy: JobPolicy) -> [JobID] {
    guard let value = reader.value("needs") else { return [] }
    guard let names = value.array, names.count <= Self.needsMax, names.allSatisfy({ $0.string != nil }) else {
      reader.refuse("needs", "must be an array of at most \(Self.needsMax) ids or refs")
      return []
    }
    return names.compactMap(\.string).enumerated().compactMap { index, name in
      if let job = refs[name] { return job.id }
      // Once the list is full, nothing more is looked up for it.
      if problems.isFull { return nil }
      let pointer = "\(reader.pointer(to: "needs"))/\(index)"
      let shown = "\"\(name.shown)\""
      let requirement = "must be the ref of an earlier job of the request or the id of a job"
      // A store that cannot be read is told of when the job is to be written.
      guard let needed = JobID(name).flatMap({ try? standings.of($0, in: api.store) }) else {
        problems.add(pointer, "\(requirement), there is no job \(shown)")
        return nil
      }
      if needed.state.isFinished && needed.state != .succeeded && policy.onDependencyFailure == .cancel {
        problems.add(pointer, "\(requirement) that can still succeed, \(shown) is \(needed.state.rawValue)")
        return nil
      }
      return needed.id
    }
  }

  /// Jobs that one job may need.
  static let needsMax = 100
  /// A job's `ref`.
  static let ref = Form<ByteString>.line(charactersMax: 64)

  /// Reads and resolves the `spec` of a training.
  func readTrain(_ spec: JSON, _ policy: JobPolicy, at pointer: String) -> TrainSpecification {
    var spec = spec
    let source = findTraining(in: &spec, "init_from", policy, at: pointer)
    let hasOnline = spec["online"] != nil
    var specification = TrainSpecification.read(
      spec, at: pointer, problems, places: JobKind.train.traits.specPlaces
    ) {
      if !hasOnline { adoptOnline(&$0, source) }
    }
    if let best = specification.checkpoint.keepBest {
      let known = specification.metricNames
      if !known.contains(where: { ByteString($0) == best.metric }) {
        problems.add(
          "\(pointer)/checkpoint/keep_best/metric",
          "\(JSON.requirement(among: known)), \(JSON.string(best.metric).phrase)")
      }
    }
    if let summary = summary(of: specification.dataset.name, at: pointer) {
      let count = summary.counts[specification.dataset.split] ?? 0
      specification.check(imageCount: count, at: pointer, problems)
      specification.check(classCount: summary.classes.count, at: pointer, problems)
      if let side = summary.shape.last {
        specification.check(imageSide: side, at: pointer, problems)
        specification.resolveImageSize(storedSide: side)
      }
    }
    if let name = specification.initFrom?.checkpoint.model,
      let model = model(named: name, at: "\(pointer)/init_from")
    {
      let source = "the model \"\(name.shown)\""
      specification.check(beginningWith: model.description.encoder, of: source, at: pointer, problems)
    }
    if let initFrom = specification.initFrom, let source {
      check(which: initFrom.checkpoint.which, of: source, at: "\(pointer)/init_from/which")
      if let trained = self.specification(of: source) {
        specification.check(
          beginningWith: trained, of: "the training that is named", at: pointer, problems)
      }
      checkStepsLeft(of: specification, after: source, policy, at: pointer)
    }
    return specification
  }

  /// Takes the online evaluation that a training gets which does not name any: that of the training that it
  /// goes on with, or the standard for its images.
  private func adoptOnline(_ specification: inout TrainSpecification, _ source: Training?) {
    if specification.initFrom?.optimizer == true, let source {
      specification.online = self.specification(of: source)?.online
      return
    }
    // A dataset that cannot be used is noted later.
    guard case .success(let summary)? = looks.look(specification.dataset.name) else { return }
    specification.adoptOnline(imageCount: summary.counts[specification.dataset.split] ?? 0)
  }

  private func steps(_ specification: JobSpecification) -> Int? {
    // A dataset that cannot be used has been noted by now.
    guard let use = specification.work.datasetUse, case .success(let summary)? = looks.look(use.name) else {
      return nil
    }
    return specification.work.stepCount(imageCounts: summary.counts)
  }

  /// The dataset as it is now, as far as the job reads it.
  private func fingerprint(_ specification: JobSpecification) -> DatasetFingerprint? {
    // A dataset that cannot be used has been noted by now.
    guard let use = specification.work.datasetUse, case .success(let summary)? = looks.look(use.name) else {
      return nil
    }
    var fingerprint = summary.fingerprint
    if let split = use.split, let whole = fingerprint?.splits[split] { fingerprint?.splits = [split: whole] }
    return fingerprint
  }

  /// Reads and resolves the `spec` of an evaluation; `nil`: it names no training that there is.
  func readEvaluate(_ spec: JSON, _ policy: JobPolicy, at pointer: String) -> EvaluateSpecification? {
    var spec = spec
    let training = findTraining(in: &spec, "checkpoint", policy, at: pointer)
    if training == nil, spec["checkpoint"]?["job"]?.string != nil {
      // Everything else that is wrong is noted as well.
      _ = EvaluateSpecification.read(
        spec, at: pointer, problems, places: JobKind.evaluate.traits.specPlaces)
      return nil
    }
    let trained = training.flatMap(dataset)
    guard
      let specification = EvaluateSpecification.read(
        spec, at: pointer, defaults: trained.map { .init(dataset: $0) } ?? .init(), problems,
        places: JobKind.evaluate.traits.specPlaces)
    else { return nil }
    if namesDataset(spec, or: trained, at: pointer),
      let summary = summary(of: specification.dataset.name, at: pointer)
    {
      if summary.classes.isEmpty {
        problems.add(
          "\(pointer)/dataset/name",
          "must have labels for an evaluation, and \"\(specification.dataset.name.shown)\" has none")
      } else {
        specification.check(
          imageCounts: summary.counts, classes: summary.classes.count, at: pointer, problems)
      }
    }
    if let name = specification.checkpoint.model,
      let model = model(named: name, at: "\(pointer)/checkpoint")
    {
      specification.check(model: model.description, at: pointer, problems)
    }
    // Every network has pooled maps.
    if specification.layer != .pooled, let trained = training.flatMap(self.specification(of:)) {
      specification.check(training: trained, at: pointer, problems)
    }
    check(which: specification.checkpoint.which, of: training, at: "\(pointer)/checkpoint/which")
    return specification
  }

  /// Whether a `spec` names a dataset, or takes that of a training; notes that it must, if neither.
  func namesDataset(_ spec: JSON, or trained: ByteString?, at pointer: String) -> Bool {
    if trained != nil || spec["dataset"]?["name"] != nil { return true }
    // What is not an object has been noted.
    guard spec["dataset"]?.object != nil || spec["dataset"] == nil else { return false }
    problems.add(
      "\(pointer)/dataset/name",
      "must be a dataset of GET /datasets, as only a training has one of its own; it is missing")
    return false
  }

  /// The training whose checkpoint the member `key` of a `spec` names, by its id or by its ref, in whose
  /// place the id stands then; `nil`: none, or what is wrong has been noted.
  func findTraining(
    in spec: inout JSON, _ key: ByteString, _ policy: JobPolicy, at pointer: String
  ) -> Training? {
    guard let named = spec[key]?["job"]?.string else { return nil }
    let choice = CheckpointReference.Choice(spec[key]?["which"]?.string ?? "last")
    let mustSucceed = choice.waitsForEnd && policy.onDependencyFailure == .cancel
    let training = find(named, mustSucceed: mustSucceed, at: "\(pointer)/\(key)/job")
    if case .coming(let job) = training { spec = Self.replaceJob(in: spec, key, by: job.id) }
    return training
  }

  /// What a training does; `nil`: it cannot be read.
  func specification(of training: Training) -> TrainSpecification? {
    let specification: JobSpecification?
    switch training {
    // What cannot be read is refused by the worker, with the reason.
    case .stored(let job): specification = try? api.store.job(job.id)?.specification()
    case .coming(let job): specification = job.specification
    }
    return specification?.train
  }

  /// The training whose checkpoint a job names.
  enum Training {
    case stored(JobStanding)
    /// Stands earlier in the same request.
    case coming(NewJob)
  }

  /// The dataset of a training; `nil`: it cannot be read.
  func dataset(of training: Training) -> ByteString? {
    switch training {
    case .stored(let job): api.trainingDatasets.name(of: job.id, in: api.store)
    case .coming(let job):
      job.specification.train?.dataset.name
    }
  }

  private func find(_ name: ByteString, mustSucceed: Bool, at pointer: String) -> Training? {
    let requirement =
      "must be the id of a train job" + (mustSucceed ? " that has succeeded or still can" : "")
    let shown = "\"\(name.shown)\""
    if let job = refs[name] {
      if job.specification.kind.traits.leavesCheckpoints { return .coming(job) }
      problems.add(pointer, "\(requirement), \(shown) is an \(job.specification.kind.rawValue) job")
      return nil
    }
    do {
      guard let named = try JobID(name).flatMap({ try standings.of($0, in: api.store) }) else {
        problems.add(pointer, "\(requirement), there is no job \(shown)")
        return nil
      }
      if !named.kind.traits.leavesCheckpoints {
        problems.add(pointer, "\(requirement), \(shown) is an \(named.kind.rawValue) job")
        return nil
      }
      if named.state.isFinished && named.state != .succeeded && mustSucceed {
        let reason = named.reason.map { " (\($0.rawValue))" } ?? ""
        problems.add(pointer, "\(requirement), \(shown) is \(named.state.rawValue)\(reason)")
        return nil
      }
      return .stored(named)
    } catch {
      problems.add(pointer, "\(requirement), \(shown) cannot be read: \(error)")
      return nil
    }
  }

  private static func replaceJob(in spec: JSON, _ key: ByteString, by id: JobID) -> JSON {
    guard var members = spec.object, var checkpoint = members[key]?.object else { return spec }
    checkpoint["job"] = .string(id.text)
    members[key] = .object(checkpoint)
    return .object(members)
  }

  /// A named checkpoint must exist by now; `last` and `best` must be possible.
  func check(which: ByteString, of training: Training?, at pointer: String) {
    let choice = CheckpointReference.Choice(which)
    switch training {
    case nil: return
    case .stored(let named): check(choice, of: named, at: pointer)
    case .coming(let job):
      if let train = job.specification.train, choice == .best {
        check(train.checkpoint.keepBest, of: "the training", at: pointer)
      }
      if !choice.waitsForEnd {
        problems.add(
          pointer, "must be \"last\" or \"best\" for a job of the same request, got \"\(which.shown)\"")
      }
    }
  }

  private func check(_ choice: CheckpointReference.Choice, of named: JobStanding, at pointer: String) {
    // A store that cannot be read is reported when the job is to be written.
    let keepBest = choice == .last ? nil : (try? api.store.job(named.id)).flatMap { api.keepBest(of: $0) }
    if choice == .best, !check(keepBest, of: "job \(named.id)", at: pointer) { return }
    // What a training will have left when it ends is not known yet.
    if choice.waitsForEnd, !named.state.isFinished { return }
    let folder = RunFolder(data: api.data, job: named.id).checkpoints
    // A folder that cannot be read has no checkpoints to offer.
    switch choice {
    case .last:
      if ((try? folder.list(newestMax: 1)) ?? []).isEmpty {
        problems.add(pointer, "must be a checkpoint that exists; job \(named.id) no longer has any")
      }
    case .best:
      let all = (try? folder.list()) ?? []
      if CheckpointFolder.ranked(all, isHighestBest: keepBest?.isHighestBest ?? false).isEmpty {
        problems.add(
          pointer,
          "must be a checkpoint that exists; no checkpoint of job \(named.id) has a value of its "
            + "keep_best.metric, \"\(keepBest?.metric.shown ?? "")\"")
      }
    case .named(let name):
      if folder.manifest(of: name.string) != nil { return }
      let names = (try? folder.list(newestMax: Self.checkpointsShownMax)) ?? []
      let known = ["last"] + (keepBest == nil ? [] : ["best"]) + names.map { ByteString($0.name) }
      let shown = known.map { "\"\($0.shown)\"" }.joined(separator: ", ")
      problems.add(pointer, "must be one of \(shown), got \"\(name.shown)\"")
    }
  }

  /// Notes a training that keeps no best checkpoints; false if so.
  @discardableResult
  private func check(_ keepBest: KeepBest?, of training: String, at pointer: String) -> Bool {
    if keepBest == nil {
      problems.add(
        pointer,
        "must be \"last\" or a checkpoint's name, as checkpoint.keep_best of \(training) is null, "
          + "got \"best\"")
    }
    return keepBest != nil
  }

  /// Checkpoints that an error names.
  private static let checkpointsShownMax = 8

  /// What is known of a dataset; one that cannot be used is noted.
  func summary(of name: ByteString, at pointer: String) -> DatasetSummary? {
    switch looks.look(name) {
    case .success(let summary)?: return summary
    case .failure(let refusal)?:
      problems.add("\(pointer)/dataset/name", ByteString(refusal.description).shown(charactersMax: 1_000))
      return nil
    case nil: return nil
    }
  }
}

/// What the store has said of jobs, so that one that many name is looked up once.
final class Standings {
  private var known: [JobID: JobStanding?] = [:]

  /// What a store says of a job; `nil`: there is none of that id.
  func of(_ id: JobID, in store: JobStore) throws -> JobStanding? {
    if let standing = known[id] { return standing }
    let standing = try store.standing(of: id)
    known[id] = .some(standing)
    return standing
  }
}
