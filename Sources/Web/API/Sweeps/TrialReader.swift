import JSONText
import JobModel
import JobStore
import Recipe
import SweepRunner
import Sweeps
import Text

/// Makes the jobs of one trial: the sweep's base with the trial's values, as if somebody had submitted it.
///
/// Problems are noted where they lie in the body of `POST /sweeps`.
struct TrialReader {
  let api: API
  let problems: ProblemList
  /// What is known of the datasets that the jobs name.
  let looks: DatasetLooks

  /// - Returns: trainings, and the evaluation of each after it; fewer where something is wrong or is not
  /// known
  ///   yet.
  func jobs(for order: TrialOrder) -> [NewJob] {
    let found = ProblemList()
    defer { note(found, of: order.configuration) }
    if let kind = order.specification.base["kind"], kind != "train" {
      found.add("\(Self.base)/kind", "must be \"train\", \(kind.phrase)")
      return []
    }
    guard let spec = spec(of: order, found) else { return [] }
    var jobs: [NewJob] = []
    for seed in 0..<order.specification.seeds {
      var spec = spec
      if order.specification.seeds > 1 { _ = Self.seed.set(.integer(Self.seed(of: spec) + seed), in: &spec) }
      if !order.previous.isEmpty {
        guard order.previous.indices.contains(seed) else {
          found.add("/base", "the training that the trial goes on with is gone")
          return []
        }
        let source: JSON = ["job": .string(order.previous[seed].text), "optimizer": true]
        _ = Self.initFrom.set(source, in: &spec)
      }
      jobs += self.jobs(spec, order, seed: seed, found)
    }
    _ = api.estimate(&jobs)
    return jobs
  }

  /// One training of a trial, and its evaluation.
  private func jobs(_ spec: JSON, _ order: TrialOrder, seed: Int, _ found: ProblemList) -> [NewJob] {
    var reader = SubmissionReader(api: api, problems: found, looks: looks)
    var submission = order.specification.base.object ?? [:]
    submission["kind"] = "train"
    submission["spec"] = spec
    guard let (training, _) = reader.read(.object(submission), at: Self.base, isInBatch: false) else {
      return []
    }
    var jobs = [training]
    if let evaluate = order.specification.evaluate {
      reader.refs[Self.ref] = training
      guard let evaluation = reader.readEvaluate(Self.pointing(evaluate), training.policy, at: "/evaluate")
      else { return [] }
      jobs.append(
        reader.newJob(
          .evaluate(evaluation), training.labelling, JobPolicy(maxAttempts: training.policy.maxAttempts)))
    }
    for index in jobs.indices {
      jobs[index].place = TrialPlace(sweep: order.sweep, trial: order.trial, rung: order.rung, seed: seed)
      // A trial that goes on does so before new ones begin.
      jobs[index].labelling.priority = min(JobLabelling.priorityMax, order.priority + order.rung)
      let name = training.labelling.name?.string ?? order.name ?? "sweep \(order.sweep)"
      jobs[index].labelling.name = Self.name(name, order.trial)
    }
    return jobs
  }

  /// The evaluation's `spec` with the checkpoint of the training before it.
  private static func pointing(_ evaluate: JSON) -> JSON {
    var members = evaluate.object ?? [:]
    var checkpoint = members["checkpoint"]?.object ?? [:]
    checkpoint["job"] = .string(ref)
    members["checkpoint"] = .object(checkpoint)
    return .object(members)
  }

  /// The base's `spec` with the trial's values.
  private func spec(of order: TrialOrder, _ found: ProblemList) -> JSON? {
    var spec = order.specification.base["spec"] ?? [:]
    guard spec.object != nil else {
      found.add("\(Self.base)/spec", "must be an object, \(spec.phrase)")
      return nil
    }
    let values = order.configuration.values.sorted { $0.key < $1.key }.map { (PointerPath($0.key), $0) }
    for (path, (pointer, value)) in values where path.array == nil {
      if let problem = path.set(value.json, in: &spec) { refuse(pointer, problem, found) }
    }
    if let epochs = order.epochs, let horizon = order.specification.earlyStopping?.maxEpochs {
      _ = Self.epochs.set(.integer(epochs), in: &spec)
      _ = Self.horizon.set(.integer(horizon), in: &spec)
    }
    let elements = values.filter { $0.0.array != nil }
    if !elements.isEmpty {
      // An array that the base does not name is the one that it is resolved to.
      let scratch = SubmissionReader(api: api, problems: ProblemList(), looks: looks)
      let resolved = scratch.readTrain(spec, JobPolicy(), at: "").json
      for (path, (pointer, value)) in elements {
        if let array = path.array, array.value(in: spec) == nil, let known = array.value(in: resolved) {
          _ = array.set(known, in: &spec)
        }
        if let problem = path.set(value.json, in: &spec) { refuse(pointer, problem, found) }
      }
    }
    if found.total > 0 { return nil }
    return spec
  }

  private func refuse(_ pointer: ByteString, _ problem: String, _ found: ProblemList) {
    found.add(ObjectReader.pointer(to: pointer, in: Self.space), problem)
  }

  /// Notes problems with the base where the parameter stands whose value they are about.
  private func note(_ found: ProblemList, of configuration: Configuration) {
    let prefix = "\(Self.base)/spec"
    for (pointer, message) in found.problems {
      let place = ByteString(pointer)
      let parameter = configuration.pointers.first { name in
        let full = ByteString("\(prefix)\(name)")
        return place == full || place.hasPrefix(ByteString("\(full)/"))
          || full.hasPrefix(ByteString("\(place)/"))
      }
      if let parameter, place.hasPrefix(ByteString(prefix)), place.count > prefix.utf8.count {
        problems.add(ObjectReader.pointer(to: parameter, in: Self.space), message)
      } else {
        problems.add(pointer, message)
      }
    }
  }

  private static func seed(of spec: JSON) -> Int { seed.value(in: spec)?.int ?? 0 }

  private static func name(_ name: String, _ trial: Int) -> ByteString {
    let end = " #\(trial)"
    let room = JobLabelling.nameCharactersMax - end.unicodeScalars.count
    return ByteString(String(String.UnicodeScalarView(name.unicodeScalars.prefix(room))) + end)
  }

  private static let base = "/base"
  private static let space = "/space"
  private static let ref: ByteString = "trial"
  private static let seed = PointerPath("/seed")
  private static let epochs = PointerPath("/epochs")
  private static let horizon = PointerPath("/schedule/horizon_epochs")
  private static let initFrom = PointerPath("/init_from")
}

/// Makes the jobs of trials for the thread that has sweeps go on.
package struct TrialMaker: TrialSource {
  private let api: API

  package init(api: API) { self.api = api }

  package func jobs(for order: TrialOrder) throws -> [NewJob] {
    let looks = DatasetLooks(api.datasets, .contents)
    while true {
      let problems = ProblemList()
      let jobs = TrialReader(api: api, problems: problems, looks: looks).jobs(for: order)
      if looks.isComplete {
        try problems.check()
        return jobs
      }
      try looks.wait()
    }
  }
}
