import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import Text

// `GET /system`: the machine, the queue, the workers, and how they were in the last hour.

extension API {
  /// `GET /system`
  @Sendable
  func getSystem(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let counts = try store.counts()
    let states = JobState.allCases.map { ($0.rawValue, JSON.integer(counts[$0] ?? 0)) }
    let uptime = (SystemClock.monotonicNanoseconds - monitor.startedNanoseconds) / 1_000_000_000
    var members: [ByteString: JSON] = [
      "version": .string(version), "uptime": .integer(Int(uptime)), "uptime_seconds": .integer(Int(uptime)),
      "started_at": .string(SystemClock.rfc3339(unixMilliseconds: monitor.startedMilliseconds)),
      "queue": .object(Dictionary(uniqueKeysWithValues: states.map { (ByteString($0.0), $0.1) })),
      "workers": .array(try workers()), "workers_max": .integer(facts.workersMax),
      "threads_max": .integer(facts.threadsMax),
      "limits": .object(
        Dictionary(uniqueKeysWithValues: limits.map { (ByteString($0.key), .integer($0.value)) })),
      "tokens": try tokens(for: request), "history": history,
    ]
    members.merge(machine) { $1 }
    members.merge(storage) { $1 }
    var response = Response(contentType: "application/json", bytes: Array(JSON.object(members).text.utf8))
    // It is another one at every look.
    response.headers.add("Cache-Control", "no-store")
    return response
  }

  /// What the machine, or the container, has and how busy it is.
  private var machine: [ByteString: JSON] {
    let (total, available) = (MachineMemory.totalBytes, MachineMemory.availableBytes)
    return [
      "cores": .integer(CPU.availableCores), "quota_cores": .optional(ControlGroups().cores),
      "cpu": .optional(CPU.model), "cpu_share": .optional(monitor.cpuShare),
      "load": MachineLoad.averages.map { .array($0.map(JSON.number)) } ?? .null,
      "memory": [
        "total_bytes": .optional(total), "available_bytes": .optional(available),
        "daemon_bytes": .optional(ProcessMemory.residentBytes),
      ],
      "versions": [
        "vicregd": .string(version), "sqlite": .optional(try? store.libraryVersion()),
        "isa": .optional(facts.isa),
        "linux": .optional(ControlGroups.text("/proc/sys/kernel/osrelease")?.trimmedLine),
      ],
    ]
  }

  /// The data folder's device and the database. What cannot be read is `null`.
  private var storage: [ByteString: JSON] {
    let path = facts.databasePath
    return [
      "disk": [
        "total_bytes": .optional(try? FileSystem.totalBytes(data)),
        "free_bytes": .optional(try? FileSystem.freeBytes(data)),
        "reserve_bytes": .integer(facts.reserveBytes),
      ],
      "database": [
        "bytes": .optional(FileSystem.regularFileSize(path)),
        "wal_bytes": .integer(FileSystem.regularFileSize("\(path)-wal") ?? 0),
      ],
    ]
  }

  private func workers() throws -> [JSON] {
    try facts.workers().map { worker in
      // A job that was deleted a moment ago has no name.
      let job = try store.job(worker.job)
      return [
        "job": .string(worker.job.text), "name": .optional(job?.labelling.name),
        "kind": .optional(job?.kind.rawValue), "threads": .integer(worker.threads),
        "since": .string(SystemClock.rfc3339(unixMilliseconds: worker.sinceMilliseconds)),
      ]
    }
  }

  /// How many access tokens there are, and for who may change things also which; `null`: none is needed.
  private func tokens(for request: Request) throws -> JSON {
    guard let tokens = try facts.tokens() else { return .null }
    let maySee = tokens.contains { $0.isWriter && ByteString($0.name) == ByteString(request.principal) }
    let list = tokens.map { token -> JSON in
      [
        "name": .string(token.name), "role": .string(token.role), "created_at": .string(token.createdAt),
        "last_used_at": token.usedAtMilliseconds.map {
          .string(SystemClock.rfc3339(unixMilliseconds: $0))
        } ?? .null,
      ]
    }
    let writers = tokens.filter(\.isWriter).count
    let lastUse = tokens.compactMap(\.usedAtMilliseconds).max()
    return [
      "read": .integer(tokens.count - writers), "write": .integer(writers),
      "last_used_at": lastUse.map { .string(SystemClock.rfc3339(unixMilliseconds: $0)) } ?? .null,
      "list": maySee ? .array(list) : .null,
    ]
  }

  /// Columns of the samples, each as long as `times_ms`.
  private var history: JSON {
    let samples = monitor.samples
    func column(_ value: (SystemMonitor.Sample) -> JSON) -> JSON { .array(samples.map(value)) }
    return [
      "interval_seconds": .integer(SystemMonitor.intervalMilliseconds / 1_000),
      "times_ms": column { .integer($0.atMilliseconds) },
      "cpu_share": column { .optional($0.cpuShare.map { ($0 * 1_000).rounded() / 1_000 }) },
      "memory_used_bytes": column { .optional($0.memoryUsedBytes) },
      "disk_free_bytes": column { .optional($0.diskFreeBytes) },
      "running": column { .optional($0.running) }, "queued": column { .optional($0.queued) },
    ]
  }
}

extension String {
  /// Up to the first line feed.
  fileprivate var trimmedLine: String { String(prefix { $0 != "\n" }) }
}
