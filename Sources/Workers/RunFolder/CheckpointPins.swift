import Platform
import Recipe

/// `DATA/pins/<job id>/`: the checkpoint that an unfinished evaluation names, as a second name of the file,
/// so that no retention of the training takes it.
///
/// A pin is made before the job is stored and removed after the job has finished, so that a death in between
/// leaves a pin too many, never one too few. What is too many is swept away: every pin whose job is not
/// unfinished, unless a request is about to store that job.
package final class CheckpointPins: Sendable {
  private let path: String
  private let requests = Requests()

  /// The pins of a data folder; nothing is touched.
  package init(data: String) { path = "\(data)/pins" }

  /// Where the pinned checkpoint of a job is.
  private func folder(_ job: JobID) -> CheckpointFolder { CheckpointFolder("\(path)/\(job)") }

  /// Pins a checkpoint for a job, durable when this returns. What is pinned already stays.
  ///
  /// - Returns: its manifest; `nil`: the folder has no such checkpoint, or no more.
  package func pin(
    _ name: String, of checkpoints: CheckpointFolder, for job: JobID
  ) throws(SystemError) -> CheckpointManifest? {
    let folder = folder(job)
    try FileSystem.makeDirectories(folder.path)
    return try folder.add(name, from: checkpoints)
  }

  /// The checkpoint that is pinned for a job; `nil`: none is.
  package func pinned(for job: JobID) throws(SystemError) -> (manifest: CheckpointManifest, path: String)? {
    let folder = folder(job)
    return try folder.list(newestMax: 1).last.map { ($0, folder.path(of: $0.name)) }
  }

  /// Whether the file that is pinned has the digest of its manifest. Reads the whole file.
  package func isIntact(_ manifest: CheckpointManifest, for job: JobID) throws(SystemError) -> Bool {
    try folder(job).isIntact(manifest)
  }

  /// Keeps the pins of jobs that a request is about to store from being swept away. Waits for a sweep that
  /// has begun with one of them.
  package func hold(_ jobs: [JobID]) { requests.hold(jobs) }

  /// The jobs are stored, or never will be.
  package func letGo(_ jobs: [JobID]) { requests.letGo(jobs) }

  /// Removes the pins of all jobs but the unfinished ones and those that a request is about to store.
  ///
  /// - Parameter unfinished: those of some jobs that are.
  package func sweep(unfinished: ([JobID]) throws -> Set<JobID>) throws {
    guard FileSystem.isDirectory(path) else { return }
    let all = try FileSystem.list(path).compactMap { JobID($0) }
    if all.isEmpty { return }
    try requests.withIdle(of: all) { idle in
      let needed = try unfinished(idle)
      var trouble: SystemError?
      for job in idle where !needed.contains(job) {
        // One that cannot be removed does not keep the others.
        do throws(SystemError) { try FileSystem.removeTree("\(path)/\(job)") } catch {
          trouble = trouble ?? error
        }
      }
      if let trouble { throw trouble }
    }
  }
}

/// The jobs that requests are about to store. Unchecked because `monitor` guards it.
private final class Requests: @unchecked Sendable {
  private let monitor = Monitor()
  private var counts: [JobID: Int] = [:]
  /// The jobs whose pins a sweep may be removing.
  private var swept: Set<JobID> = []

  /// Only a retry can wait: a new job is in no sweep.
  func hold(_ jobs: [JobID]) {
    monitor.wait(until: { swept.isDisjoint(with: jobs) }) {
      for job in jobs { counts[job, default: 0] += 1 }
    }
  }

  func letGo(_ jobs: [JobID]) {
    monitor.alone {
      for job in jobs { counts[job] = counts[job].flatMap { $0 > 1 ? $0 - 1 : nil } }
    }
  }

  /// Runs `body` with those of some jobs that no request holds; none of them is held before it returns.
  func withIdle(of all: [JobID], _ body: ([JobID]) throws -> Void) rethrows {
    let idle = monitor.alone {
      swept = Set(all).subtracting(counts.keys)
      return Array(swept)
    }
    defer { monitor.signal { swept = [] } }
    try body(idle)
  }
}
