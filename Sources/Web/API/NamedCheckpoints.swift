import HTTP
import JSONText
import JobStore
import Recipe
import RunFolder
import Text

// A checkpoint of another job that a job names is pinned before the job is stored.

extension API {
  /// Pins the checkpoints that jobs name and holds the pins; `pins.letGo` must follow. The pins of jobs that
  /// are not stored then are swept away.
  ///
  /// - Returns: the jobs whose pins are held.
  /// - Throws: `SpecificationProblems` where retention was faster; no pin is held then.
  func pinCheckpoints(of jobs: [NewJob], isBatch: Bool) throws -> [JobID] {
    let problems = ProblemList()
    var held: [JobID] = []
    do {
      for (index, job) in jobs.enumerated() {
        guard let checkpoint = job.specification.work.checkpointUse, let source = checkpoint.job,
          case .named(let name) = checkpoint.choice
        else { continue }
        pins.hold([job.id])
        held.append(job.id)
        if try !isPinned(name, of: source, for: job.id) {
          let place = isBatch ? "/jobs/\(index)/spec" : "/spec"
          let member = job.specification.kind == .train ? "init_from" : "checkpoint"
          problems.add(
            "\(place)/\(member)/which",
            "must be a checkpoint that exists; \"\(name.shown)\" has been removed by the training's retention"
          )
        }
      }
      try problems.check()
      return held
    } catch {
      pins.letGo(held)
      throw error
    }
  }

  /// Pins a checkpoint for a job; false: it does not exist.
  func isPinned(_ name: ByteString, of training: JobID, for job: JobID) throws -> Bool {
    try pins.pin(name.string, of: RunFolder(data: data, job: training).checkpoints, for: job) != nil
  }

  /// Pins what a job to be retried names, since pins go with the end of a job, and holds it; `pins.letGo`
  /// must follow.
  ///
  /// - Parameter isNeeded: the job cannot go on without it.
  /// - Throws: 409 where the checkpoint is gone and needed.
  func pinForRetry(_ record: JobRecord, isNeeded: Bool) throws -> [JobID] {
    guard record.state == .failed || record.state == .cancelled,
      let checkpoint = try record.specification().work.checkpointUse, let source = checkpoint.job,
      case .named(let name) = checkpoint.choice
    else { return [] }
    pins.hold([record.id])
    do {
      if try isPinned(name, of: source, for: record.id) || !isNeeded { return [record.id] }
      let remedy =
        record.kind == .train ? "a training that begins with another one" : "an evaluation of another one"
      throw Problem(
        status: 409,
        detail: "cannot retry job \(record.id): job \(source) no longer has the "
          + "checkpoint \"\(name.shown)\"; submit \(remedy).")
    } catch {
      pins.letGo([record.id])
      throw error
    }
  }

  /// The step of a training's checkpoint, which may be one that it does not have yet; `nil`: it cannot be
  /// told.
  func step(of choice: CheckpointReference.Choice, _ job: JobID, isFinished: Bool) -> Int? {
    let folder = RunFolder(data: data, job: job).checkpoints
    // A folder that cannot be read has no checkpoints; the worker says what is wrong with it.
    switch choice {
    case .named(let name): return folder.manifest(of: name.string)?.step
    case .last where !isFinished: return (try? store.job(job))?.steps
    case .last: return ((try? folder.list(newestMax: 1)) ?? []).last?.step
    case .best where !isFinished: return nil
    case .best: return (try? store.job(job)).flatMap { best(of: (try? folder.list()) ?? [], $0) }?.step
    }
  }

  /// Refuses to retry a training that has no step left after what it would go on with.
  ///
  /// - Throws: 409.
  func checkStepsLeft(ofRetried record: JobRecord) throws {
    guard record.state == .failed || record.state == .cancelled, let steps = record.steps,
      let initFrom = try record.specification().train?.initFrom, initFrom.optimizer,
      let source = initFrom.checkpoint.job, try store.standing(of: source)?.state.isFinished == true,
      let done = step(of: initFrom.checkpoint.choice, source, isFinished: true), steps <= done
    else { return }
    throw Problem(
      status: 409,
      detail: "cannot retry job \(record.id): it ends at step \(steps), and the checkpoint of job \(source) "
        + "that it goes on with is at step \(done); submit a training with more epochs.")
  }

  /// Whether a training has a checkpoint of its own, so that it needs no more of what it began with.
  func hasBegun(_ record: JobRecord) -> Bool {
    guard record.kind == .train else { return false }
    // A folder that cannot be read has no checkpoints to offer.
    return !((try? RunFolder(data: data, job: record.id).checkpoints.list(newestMax: 1)) ?? []).isEmpty
  }

  /// How a training keeps its best checkpoints; `nil`: it does not.
  func keepBest(of record: JobRecord) -> KeepBest? {
    // A specification that this program cannot read keeps none that it knows of.
    (try? record.specification())?.train?.checkpoint.keepBest
  }
}
