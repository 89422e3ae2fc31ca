import JSONText
import JobModel
import JobStore
import Recipe
import SweepRunner
import Sweeps
import Text

/// Finds what is wrong with a sweep before it begins, by a dry run of its space's corners: each parameter at
/// its ends, each choice at each value, alone and together.
struct SweepCheck {
  let api: API
  let problems: ProblemList
  let looks: DatasetLooks
  let specification: SweepSpecification
  let plan: SweepPlan

  /// The largest job of a trial, as far as that is known, and the trainings of the corners.
  struct Finding {
    var cost = JobCost()
    /// Metrics that lines of some training have.
    var metrics: Set<ByteString> = []
  }

  /// Configurations that are tried.
  private static let cornersMax = 256

  /// Notes what is wrong.
  ///
  /// - Returns: what the trials will take; nothing of use where something is wrong.
  func run() -> Finding {
    checkReserved()
    var finding = Finding()
    guard problems.total == 0 else { return finding }
    for configuration in plan.space.corners(max: Self.cornersMax) where !problems.isFull {
      let order = TrialOrder(
        sweep: api.store.newID(), name: nil, priority: JobLabelling.priorityDefault,
        specification: specification, trial: 0, configuration: configuration, epochs: plan.halving?.rungs[0])
      let jobs = TrialReader(api: api, problems: problems, looks: looks).jobs(for: order)
      if !looks.isComplete { return finding }
      take(jobs, configuration, into: &finding)
    }
    if problems.total == 0 { checkObjective(finding) }
    return finding
  }

  private func take(_ jobs: [NewJob], _ configuration: Configuration, into finding: inout Finding) {
    let trainings = Dictionary(
      jobs.compactMap { job in job.specification.train.map { (job.id, $0) } }, uniquingKeysWith: { $1 })
    for job in jobs {
      let training = job.specification.train
      finding.metrics.formUnion((training?.metricNames ?? []).map { ByteString($0) })
      if job.cost.memoryBytes ?? 0 >= finding.cost.memoryBytes ?? 0 { finding.cost = job.cost }
      if let refusal = MemoryRefusal(job, training: job.training(of: trainings), control: api.control) {
        let place = ByteString("/\(refusal.field)")
        let isParameter = configuration[place] != nil && training != nil
        let member = training == nil ? "/evaluate/" : "/base/spec/"
        problems.add(
          isParameter ? ObjectReader.pointer(to: place, in: "/space") : member + refusal.field,
          refusal.message)
      }
    }
  }

  /// Notes parameters and members that the sweep sets itself.
  private func checkReserved() {
    var reserved: [ByteString: String] = [:]
    if specification.earlyStopping != nil {
      let reason = "is set by early_stopping, which says how long each trial trains"
      for pointer in ["/epochs", "/max_steps", "/schedule/horizon_epochs"] {
        reserved[ByteString(pointer)] = reason
      }
    }
    if specification.seeds > 1 { reserved["/seed"] = "is set by seeds, which is above 1" }
    for parameter in plan.space.parameters {
      if let reason = reserved[parameter.pointer] {
        problems.add(ObjectReader.pointer(to: parameter.pointer, in: "/space"), reason)
      }
    }
    guard specification.earlyStopping != nil else { return }
    for pointer in ["/max_steps", "/schedule/horizon_epochs"] {
      let value = PointerPath(ByteString(pointer)).value(in: specification.base["spec"] ?? [:])
      if let value, !value.isNull {
        problems.add("/base/spec\(pointer)", reserved[ByteString(pointer)] ?? "")
      }
    }
  }

  /// Notes an objective that no trial produces.
  private func checkObjective(_ finding: Finding) {
    let metric = specification.objective.metric
    let place = "/objective/metric"
    guard let source = specification.objective.source else {
      if specification.evaluate == nil {
        problems.add(place, "needs evaluate, without which no trial is evaluated; got \"\(metric.shown)\"")
      }
      return
    }
    let known = finding.metrics.sorted().map(\.string)
    let top1 = specification.evaluate == nil ? [] : [SweepSpecification.Objective.top1Name.string]
    if !finding.metrics.contains(source.metric) {
      problems.add(
        place, "\(JSON.requirement(among: top1 + known)), which some trial produces, got \"\(metric.shown)\"")
    } else if !SweepSpecification.Objective.values.contains(source.value) {
      let values = SweepSpecification.Objective.values.map { "\(source.metric).\($0)" }
      problems.add(place, "\(JSON.requirement(among: values)), got \"\(metric.shown)\"")
    }
  }
}
