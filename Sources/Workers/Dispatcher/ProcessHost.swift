import JobModel
import JobStore
import Logging
import Platform
import Recipe
import RunFolder
import Synchronization
import Text

/// The host of the product: child processes, and run folders below the data folder.
final class ProcessHost: WorkerHost {
  private let configuration: DispatcherConfiguration
  /// By attempt: one that has ended may still be about to exit when the next begins.
  private let children = Mutex<[JobID: [Int: ChildProcess]]>([:])
  private let log = Log("dispatcher")
  private let pins: CheckpointPins

  init(_ configuration: DispatcherConfiguration, pins: CheckpointPins) {
    self.configuration = configuration
    self.pins = pins
  }

  var monotonicNanoseconds: UInt64 { SystemClock.monotonicNanoseconds }

  var freeBytes: Int? {
    // A file system that cannot be asked does not hold work up: its writes will tell.
    try? FileSystem.freeBytes(configuration.dataPath)
  }

  var availableMemoryBytes: Int? { MachineMemory.availableBytes }

  var launchShortage: SystemError? {
    do {
      try DescriptorLimit.probe(DispatcherConfiguration.descriptorsPerLaunch)
    } catch {
      return error
    }
    return Thread.probe(
      DispatcherConfiguration.threadsPerLaunch(of: configuration.placement.threadsMax)
    ).failure
  }

  func launch(
    _ job: JobRecord, threads: Int, whenGone: @escaping @Sendable (WorkerEnding) -> Void
  ) throws {
    let folder = folder(job.id)
    try folder.create()
    try folder.writeSpec(specification(of: job, threads: threads, in: folder))
    let child = try ChildProcess(
      configuration.program, configuration.arguments + [folder.path],
      environment: configuration.environment ?? Environment.all, logPath: folder.logPath)
    children.withLock { $0[job.id, default: [:]][job.attempt] = child }
    do {
      _ = try Thread(name: "wait \(child.id)", stackBytes: 64 << 10) { [self] in
        let how: WorkerEnding
        do {
          let ending = try child.wait()
          how = WorkerEnding(ending.description, lack: Self.lack(ending))
        } catch {
          how = WorkerEnding("\(error)")
        }
        children.withLock {
          $0[job.id]?[job.attempt] = nil
          if $0[job.id]?.isEmpty == true { $0[job.id] = nil }
        }
        whenGone(how)
      }
    } catch {
      child.send(.kill)
      throw error
    }
    log.info("job \(job.id): attempt \(job.attempt) is process \(child.id)")
  }

  /// What a worker lacked that exited with one of the codes for that.
  private static func lack(_ ending: ChildProcess.Ending) -> Reason? {
    switch ending {
    case .exited(code: RunFolder.diskFullExitCode): .diskFull
    case .exited(code: RunFolder.shortageExitCode): .shortage
    default: nil
    }
  }

  private func specification(of job: JobRecord, threads: Int, in folder: RunFolder) throws -> RunSpec {
    let newest = try folder.checkpoints.list(newestMax: 1).last
    var spec = try RunSpec(
      job: job.id, attempt: job.attempt, specification: job.specification(),
      threads: threads,
      resumeFrom: newest.map { folder.checkpoints.path(of: $0.name) },
      dataset: job.dataset())
    if let reference = spec.specification.work.checkpointUse {
      do {
        try resolve(reference, in: &spec)
      } catch let error as LaunchError {
        // A training needs no more of what it began with once it has a checkpoint of its own.
        guard spec.specification.kind == .train, newest != nil else { throw error }
        log.info("job \(job.id) goes on without what it began with: \(error.message)")
      }
    }
    spec.datasetFolder = try configuration.datasetFolder(job.id, spec.specification)
    if spec.specification.kind == .import, spec.datasetFolder == nil {
      throw LaunchError(reason: .badInput, message: "its dataset was deleted; import it again")
    }
    spec.uploadPath = configuration.uploadPath(job.id)
    return spec
  }

  /// Says where the weights lie that a job takes, and what they are.
  private func resolve(_ reference: CheckpointReference, in spec: inout RunSpec) throws {
    if let name = reference.model {
      let model = try model(name)
      spec.checkpointPath = ModelFolder(data: configuration.dataPath).path(of: model.id)
      spec.checkpointSHA256 = ByteString(model.digest)
      spec.model = model.description
    } else if let source = reference.job {
      let checkpoint = try checkpoint(reference, of: source, for: spec.job)
      spec.checkpointPath = checkpoint.path
      spec.checkpointSHA256 = ByteString(checkpoint.manifest.sha256)
    }
  }

  /// The model of a name, whose file is the one that was uploaded.
  private func model(_ name: ByteString) throws -> ModelRecord {
    guard let record = try configuration.model(name) else {
      throw LaunchError(reason: .badInput, message: "there is no model \"\(name.shown)\" any more")
    }
    let path = ModelFolder(data: configuration.dataPath).path(of: record.id)
    guard FileSystem.isRegularFile(path), try RunFolder.sha256(of: path) == record.digest else {
      throw LaunchError(
        reason: .badInput,
        message: "the file of the model \"\(name.shown)\" is missing or damaged: \(path); upload it again")
    }
    return record
  }

  /// The checkpoint of another job that a job reads: the one that is pinned for it; or what it asks for is
  /// pinned now, so that its later attempts have the same.
  private func checkpoint(
    _ reference: CheckpointReference, of source: JobID, for job: JobID
  ) throws -> (manifest: CheckpointManifest, path: String) {
    if try pins.pinned(for: job) == nil, let name = try name(of: reference.choice, in: source) {
      _ = try pins.pin(name, of: folder(source).checkpoints, for: job)
    }
    guard let pinned = try pins.pinned(for: job), try pins.isIntact(pinned.manifest, for: job) else {
      throw LaunchError(
        reason: .badInput, message: "job \(source) has no intact checkpoint \"\(reference.which)\"")
    }
    return pinned
  }

  /// The name of the checkpoint that is asked for now; `nil`: there is none.
  private func name(of choice: CheckpointReference.Choice, in source: JobID) throws -> String? {
    let folder = folder(source)
    switch choice {
    case .named(let name): return name.string
    case .last:
      return try folder.checkpoints.newestIntact { [log] damaged in
        log.warning("job \(source): the checkpoint \(damaged.name) is damaged and set aside")
      }?.name
    case .best:
      guard let best = try folder.readSpec().specification.train?.checkpoint.keepBest else { return nil }
      let all = try folder.checkpoints.list()
      return CheckpointFolder.ranked(all, isHighestBest: best.isHighestBest).first?.name
    }
  }

  func send(_ signal: Signal, to job: JobID, attempt: Int) {
    if let own = children.withLock({ $0[job] }) {
      own[attempt]?.send(signal)
      return
    }
    // The id in the lock file is the worker's as long as the lock is held. If that cannot be told, nobody is
    // signalled: the wrong process would be worse than none.
    if let id = folder(job).workerID, (try? isAlive(job)) == true { ProcessID.send(signal, to: id) }
  }

  func isAlive(_ job: JobID) throws -> Bool { try folder(job).isAlive() }

  func preparedAttempt(of job: JobID) -> Int? {
    // A specification that cannot be read has prepared nothing.
    try? folder(job).readSpec().attempt
  }

  func preparedThreads(of job: JobID) -> Int? {
    // As above.
    try? folder(job).readSpec().threads
  }

  func lines(of job: JobID, from offset: Int) throws -> (end: Int, lines: [String])? {
    let path = folder(job).eventsPath
    let exists = FileSystem.exists(path)
    // A pipe has no size: nothing would ever be read from it, and nobody would know why.
    if exists, !FileSystem.isRegularFile(path) {
      throw RunFolderError(operation: "read", subject: path, cause: "it is not a regular file")
    }
    let size = exists ? try FileSystem.size(path) : 0
    if size < offset { throw ShortenedError(end: try EventTail.end(of: path)) }
    if size == offset { return nil }
    var tail = EventTail(path: path, offset: offset)
    let lines = try tail.next()
    if lines.isEmpty { return nil }
    return (tail.offset, lines.map { String(decoding: $0.bytes, as: UTF8.self) })
  }

  func lastEvent(of job: JobID) throws -> WorkerEvent? {
    // Events that cannot be read have no last line; what is wrong with them is told when they are followed.
    try? folder(job).lastEvent()
  }

  func ranMilliseconds(of job: JobRecord) -> Int? {
    let folder = folder(job.id)
    // The time of day may have been set meanwhile, so no time of a file or a row counts.
    if (try? isAlive(job.id)) == true { return folder.workerID.flatMap(ProcessID.ageMilliseconds) }
    return folder.ageMilliseconds(ofAttempt: job.attempt)
  }

  func heartbeat(of job: JobID) -> FileTime? {
    // A file that is not there yet has no time.
    try? FileSystem.modificationTime(folder(job).lockPath)
  }

  private func folder(_ job: JobID) -> RunFolder { RunFolder(data: configuration.dataPath, job: job) }
}
