import HTTP
import JSONText
import JobModel
import Text

// The route of the machine's state, and its schema.

extension API {
  /// Every route of the machine's state.
  var systemEndpoints: [Endpoint] {
    [
      Endpoint(
        method: .get, pattern: "/system",
        operation: .init(
          "The machine, the queue and the workers, and how they were in the last hour.",
          answers: [
            .json(200, OpenAPIDocument.schema("System"), fields: ["Cache-Control": "no-store"])
          ]),
        handler: getSystem)
    ]
  }
}

extension OpenAPIDocument {
  /// The schemas of the machine's state.
  static let systemSchemas: [ByteString: JSON] = [
    "System": described([
      "version": about("The daemon's version.", text),
      "versions": about(
        "Of the daemon and what it runs on.",
        described([
          "vicregd": about("The daemon.", text),
          "sqlite": about("The database library; null: not known.", textOrNull),
          "linux": about("The kernel; null: not known.", textOrNull),
          "isa": about("The instruction set of the kernels that train; null: not known.", textOrNull),
        ])),
      "started_at": about("When the daemon was started.", time),
      "uptime_seconds": about("Seconds since then.", count),
      "uptime": about("The same under its short name.", count),
      "cores": about("Cores that can be kept busy, by affinity and quota.", count),
      "quota_cores": about("Cores' worth of time that a control group allows; null: no limit.", countOrNull),
      "cpu": about("The processor's model; null: not known.", textOrNull),
      "cpu_share": about(
        "The share of the cores that is used, by all processes, from 0 to 1; null: not known yet.",
        numberOrNull),
      "load": about(
        "Processes that ran or waited to run, means of the last 1, 5 and 15 minutes; null: not known.",
        ["type": ["array", "null"], "items": number, "minItems": 3, "maxItems": 3]),
      "memory": about(
        "Of the machine, or of its control group.",
        described([
          "total_bytes": about("In all; null: not known.", countOrNull),
          "available_bytes": about("That can be had; null: not known.", countOrNull),
          "daemon_bytes": about(
            "That the daemon itself has, without its workers; null: not known.", countOrNull),
        ])),
      "disk": about(
        "The device of the data folder.",
        described([
          "total_bytes": about("In all; null: not known.", countOrNull),
          "free_bytes": about("That are left; null: not known.", countOrNull),
          "reserve_bytes": about("That are kept free: below, jobs rest.", count),
        ])),
      "database": about(
        "The database in the data folder.",
        described([
          "bytes": about("Of its file; null: not known.", countOrNull),
          "wal_bytes": about("Of its write-ahead log.", count),
        ])),
      "queue": about(
        "How many jobs are in each state.", ["type": "object", "additionalProperties": count]),
      "workers": list("The workers that run, in the order in which they began.", of: worker),
      "workers_max": about("Workers at the same time, at most.", count),
      "threads_max": about("Threads of one worker, at most.", count),
      "limits": about("The server's limits by name.", ["type": "object", "additionalProperties": integer]),
      "tokens": about("The access tokens; null: none is needed.", nullable(tokens)),
      "history": about("The last hour, oldest first.", history),
    ])
  ]

  private static let integer: JSON = ["type": "integer"]

  private static let worker = described([
    "job": about("The job that it runs.", object("JobID")),
    "name": about("The job's name; null: it has none.", textOrNull),
    "kind": about("What the job does; null: it was deleted.", nullable(choices(JobKind.self))),
    "threads": about("Threads of its engine.", count),
    "since": about("When the attempt began.", time),
  ])

  private static let tokens = described([
    "read": about("Tokens that may look at everything.", count),
    "write": about("Tokens that may change everything.", count),
    "last_used_at": about("When any was used last; null: not since the daemon started.", timeOrNull),
    "list": about(
      "Each token, for a request whose own token may change everything; else null.",
      nullable([
        "type": "array",
        "items": described([
          "name": about("By which people know it.", text),
          "role": about("What it allows.", ["enum": ["read", "write"]]),
          "created_at": about("When it was made.", text),
          "last_used_at": about("When it was used last; null: not since the daemon started.", timeOrNull),
        ]),
      ])),
  ])

  private static let history = described([
    "interval_seconds": about("Seconds between two samples.", count),
    "times_ms": about("When each sample was taken, in Unix milliseconds.", column(integer)),
    "cpu_share": about("The share of the cores that was used since the sample before.", column(numberOrNull)),
    "memory_used_bytes": about("Memory that could not be had.", column(countOrNull)),
    "disk_free_bytes": about("Space that was left on the data folder's device.", column(countOrNull)),
    "running": about("Jobs that had a worker.", column(countOrNull)),
    "queued": about("Jobs that waited for one.", column(countOrNull)),
  ])

  private static func column(_ item: JSON) -> JSON { ["type": "array", "items": item] }
}
