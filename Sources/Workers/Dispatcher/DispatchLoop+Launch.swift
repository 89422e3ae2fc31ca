import JobModel
import JobStore
import Logging
import Platform
import RunFolder

/// Why a job that was claimed cannot be started: it fails with this reason.
private struct LaunchError: Error {
  let reason: Reason
  let message: String
}

extension DispatchLoop {
  /// Writes the run's specification and starts its worker; `nil` if the job had to be failed instead.
  mutating func launch(_ job: JobRecord) -> Run? {
    let folder = RunFolder(data: configuration.dataPath, job: job.id)
    do {
      try folder.create()
      try folder.writeSpec(specification(of: job, in: folder))
      let child = try ChildProcess(
        configuration.program, configuration.arguments + [folder.path],
        environment: configuration.environment, logPath: folder.logPath)
      try watch(child, of: job)
      log.info("job \(job.id): attempt \(job.attempt) is process \(child.id)")
      return Run(
        job: job.id, attempt: job.attempt, folder: folder, watch: .child(child), offset: job.ingestOffset)
    } catch {
      if fail(job, error) { return nil }
      var run = Run(
        job: job.id, attempt: job.attempt, folder: folder, watch: .adopted, offset: job.ingestOffset)
      run.ending = "could not be started"
      return run
    }
  }

  private func specification(of job: JobRecord, in folder: RunFolder) throws -> RunSpec {
    var spec = try RunSpec(
      job: job.id, attempt: job.attempt, specification: job.specification(),
      threads: configuration.threadsPerWorker, resumeFrom: newestCheckpoint(in: folder, of: job.id))
    if case .evaluate(let evaluation) = spec.specification {
      spec.checkpointPath = try checkpoint(evaluation.checkpoint)
    }
    return spec
  }

  /// The checkpoint that an evaluation names.
  private func checkpoint(_ reference: CheckpointReference) throws -> String {
    let folder = RunFolder(data: configuration.dataPath, job: reference.job)
    if reference.which == "last" {
      if let path = try newestCheckpoint(in: folder, of: reference.job) { return path }
    } else if let manifest = folder.checkpoints.manifest(of: reference.which),
      try folder.checkpoints.isIntact(manifest)
    {
      return folder.checkpoints.path(of: manifest.name)
    }
    throw LaunchError(
      reason: .badInput, message: "job \(reference.job) has no intact checkpoint \"\(reference.which)\"")
  }

  private func newestCheckpoint(in folder: RunFolder, of job: JobID) throws(SystemError) -> String? {
    let newest = try folder.checkpoints.newestIntact { damaged in
      log.warning("job \(job): the checkpoint \(damaged.name) is damaged and set aside")
    }
    return newest.map { folder.checkpoints.path(of: $0.name) }
  }

  /// Starts the thread that waits for a child and reports its end.
  private func watch(_ child: ChildProcess, of job: JobRecord) throws(SystemError) {
    let inbox = inbox
    let (id, attempt) = (job.id, job.attempt)
    do {
      _ = try Thread(name: "wait \(child.id)", stackBytes: 64 << 10) {
        let how: String
        do {
          how = try child.wait().description
        } catch {
          how = "\(error)"
        }
        inbox.send(.gone(id, attempt: attempt, how: how))
      }
    } catch {
      child.send(.kill)
      throw error
    }
  }

  /// Fails a job that cannot be started.
  ///
  /// - Returns: false if the store refuses.
  private mutating func fail(_ job: JobRecord, _ error: any Error) -> Bool {
    let failure = error as? LaunchError
    let isDiskFull = (error as? SystemError)?.isDiskFull ?? false
    let reason = failure?.reason ?? (isDiskFull ? .diskFull : .workerError)
    let message = failure?.message ?? "cannot start its worker: \(error)"
    log.error("job \(job.id): \(message)")
    do {
      try store.transition(job.id, attempt: job.attempt, to: .failed, reason: reason, message: message)
      return true
    } catch {
      refuse("job \(job.id): it cannot be failed: \(error)")
      return false
    }
  }
}
