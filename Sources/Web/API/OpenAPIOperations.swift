import JobModel

extension OpenAPIDocument {
  /// What is said of each route, by method and pattern. A test holds it to the routes.
  static let operations = [jobs, life, streams, others, session].reduce(into: [:]) { all, part in
    all.merge(part) { $1 }
  }

  private static let id = Parameter.path("id", schema("JobID"))
  private static let ifNoneMatch = Parameter.header(
    "If-None-Match", ["type": "string"], "304 where the entity tag is the same")
  private static let ifMatch = Parameter.header(
    "If-Match", ["type": "string"], "412 where the entity tag is another")
  private static let job = schema("Job")

  private static func schema(_ name: String) -> JSON {
    ["$ref": .string("#/components/schemas/\(name)")]
  }

  private static func integer(_ range: ClosedRange<Int>) -> JSON { ObjectReader.schema(range) }

  private static let flag: JSON = ["type": "boolean"]

  private static let jobs: [String: Operation] = [
    "POST /jobs": Operation(
      "Queue a job, or several that may name one another by ref: all or none.",
      [
        .query("dry_run", flag, "only resolve and check"),
        .header(
          "Idempotency-Key",
          ["type": "string", "pattern": "^([!#-~]{1,255}|\"[!#-~]{1,255}\")$"],
          "the same key and request give the first answer again, for 7 days"),
      ],
      body: (schema("Submission"), true),
      answers: [
        .json(200, ["anyOf": [schema("Resolved"), batch("Resolved")]]),
        .json(
          201, ["anyOf": [job, batch("Job")]],
          fields: tagged.merging([
            "Location": "of a single job", "Idempotency-Replayed": "`true` where the key was known",
          ]) { $1 }),
      ],
      problems: [415, 422]),
    "GET /jobs": Operation(
      "Jobs, newest first.",
      [
        .query("state", ["type": "string", "pattern": .string(statePattern)], "states, separated by commas"),
        .query("kind", choices(JobKind.self), "one kind only"),
        .query(
          "health", ["type": "string", "pattern": .string(healthPattern)], "healths, separated by commas"),
        .query("label", ["type": "string"], "jobs that have the label: KEY or KEY=VALUE"),
        .query("limit", integer(1...API.listLimitMax), "jobs in one answer"),
        .query("cursor", integer(1...Int.max), "`next_cursor` of the answer before"),
      ],
      answers: [.json(200, schema("JobList"), fields: ["Link": "the next page, with rel=next (RFC 8288)"])]),
    "GET /jobs/{id}": Operation(
      "A job.",
      [
        id, ifNoneMatch,
        .header(
          "Prefer", ["type": "string"],
          "wait=N: answer when the job has ended, or has changed where If-None-Match is given, at the latest "
            + "after N seconds (RFC 7240)"),
      ],
      answers: [
        .json(
          200, job, fields: tagged.merging(["Preference-Applied": "wait=N, if that was asked for"]) { $1 }),
        .empty(304),
      ], problems: [404, 412]),
    "PATCH /jobs/{id}": Operation(
      "Change name, labels, notes or priority.", [id, ifMatch], body: (schema("Labelling"), true),
      answers: [.json(200, job, fields: tagged)], problems: [404, 412, 415, 422]),
    "DELETE /jobs/{id}": Operation(
      "Remove a finished job, its lines and its files.", [id, ifMatch], answers: [.empty(204)],
      problems: [404, 409, 412]),
    "POST /jobs/{id}/cancel": Operation(
      "End a job; asking twice is harmless.", [id], body: (schema("Cancellation"), false),
      answers: [.json(202, job, fields: tagged)], problems: [404, 415, 422]),
  ]

  private static let tagged = ["ETag": "changes whenever the job does; for If-None-Match and If-Match"]

  private static let nothing: JSON = ["type": "object", "additionalProperties": false]

  private static let life: [String: Operation] = [
    "POST /jobs/{id}/pause": change("Rest: what runs writes a checkpoint first."),
    "POST /jobs/{id}/resume": change("Go on with a paused job."),
    "POST /jobs/{id}/retry": change("Go on with a failed or cancelled job from its last checkpoint."),
    "GET /jobs/{id}/transitions": Operation(
      "Every step of the job's life, oldest first.",
      [
        id, .query("after", integer(0...Int.max), "steps behind this one"),
        .query("limit", integer(1...API.transitionsLimitMax), "steps in one answer"),
      ],
      answers: [.json(200, schema("TransitionList"))], problems: [404]),
  ]

  private static func change(_ summary: String) -> Operation {
    Operation(
      summary, [id], body: (nothing, false), answers: [.json(202, job, fields: tagged)],
      problems: [404, 409, 415, 422])
  }

  private static let lastEventID = Parameter.header(
    "Last-Event-ID", ["type": "string"], "the last id that the client has; counts before `after`")
  private static let after = Parameter.query("after", integer(0...Int.max), "the last id that the client has")

  private static let streams: [String: Operation] = [
    "GET /jobs/{id}/metrics": Operation(
      "The recorded lines as they are, one JSON object a line (schema `Line`), or with `points` or `keys`, "
        + "which go together and without the others, or as text/csv, curves: mean, min and max of equal "
        + "buckets of steps. The CSV has `step`, then `NAME`, `NAME_min` and `NAME_max` of each metric; all "
        + "metrics and 100,000 points unless it is asked for less.",
      [
        id, .query("follow", flag, "go on until the job ends"),
        .query("from_step", integer(0...Int.max), "no lines of smaller steps"),
        .query("points", integer(API.seriesPointsRange), "curves of at most n points per metric"),
        .query(
          "keys", ["type": "string", "pattern": "^[a-z0-9_]{1,64}(,[a-z0-9_]{1,64}){0,31}$"],
          "metrics of the job, separated by commas"),
        .header("Accept", ["type": "string"], "text/csv: curves as a table"),
      ],
      answers: [
        Answer(
          status: 200,
          content: [
            "application/x-ndjson": ["type": "string"], "application/json": schema("Series"),
            "text/csv": ["type": "string"],
          ])
      ],
      problems: [404, 422]),
    "GET /jobs/{id}/events": Operation(
      "State, lines and steps of life of a job as Server-Sent Events, until it ends; 204: the client has "
        + "them all.",
      [id, after, lastEventID],
      answers: [
        .events(
          lineEvents + ["state", "transition", "resync", "deleted"],
          data: "a Line, for `state` the Job, for `transition` a Transition"),
        .empty(204),
      ], problems: [404]),
    "GET /events": Operation(
      "Every change of every job as Server-Sent Events.", [after, lastEventID],
      answers: [
        .events(
          lineEvents + ["state", "transition", "resync", "deleted"],
          data: "{job, sequence, line} with a Line, for `state` the Job, for `transition` a Transition, "
            + "for `deleted` {job}")
      ]),
    "GET /jobs/{id}/log": Operation(
      "What the worker wrote for people.",
      [id, .query("tail", integer(1...API.tailLinesMax), "the last so many lines")],
      answers: [.text(200, "text/plain")], problems: [404]),
    "GET /jobs/{id}/checkpoints": Operation(
      "Checkpoints, oldest first.", [id], answers: [.json(200, schema("CheckpointList"))], problems: [404]),
    "GET /jobs/{id}/checkpoints/{name}": Operation(
      "A checkpoint: gzipped safetensors.",
      [
        id, .path("name", ["type": "string", "minLength": 1]), ifNoneMatch,
        .header("Range", ["type": "string"], "parts of it"),
        .header("If-Range", ["type": "string"], "the parts only of this entity tag or date, else all"),
      ],
      answers: [
        Answer(
          status: 200, content: ["application/gzip": ["type": "string"]],
          fields: [
            "ETag": "the SHA-256", "Repr-Digest": "the SHA-256 (RFC 9530)", "Accept-Ranges": "bytes",
            "Last-Modified": "when it was written", "Content-Disposition": "its name",
          ]),
        Answer(
          status: 206,
          content: ["application/gzip": ["type": "string"], "multipart/byteranges": ["type": "string"]],
          fields: ["Content-Range": "which part, where it is one"]),
        .empty(304),
      ],
      problems: [404, 412, 416]),
  ]

  private static let others: [String: Operation] = [
    "GET /datasets": Operation(
      "What can be trained on.", answers: [.json(200, schema("DatasetList"))]),
    "GET /datasets/{name}": Operation(
      "A data set.", [.path("name", ["type": "string", "minLength": 1])],
      answers: [.json(200, schema("Dataset"))], problems: [404, 422]),
    "GET /healthz": Operation(
      "The process answers.", answers: [.json(200, ["type": "object", "required": ["status"]])]),
    "GET /readyz": Operation(
      "The store answers too, and workers can be started; the number of jobs in each state, at most one "
        + "second old. 503 says what is short.",
      answers: [.json(200, ["type": "object", "required": ["status", "jobs"]])]),
    "GET /version": Operation(
      "Which build this is.", answers: [.json(200, ["type": "object", "required": ["name", "version"]])]),
  ]

  private static let session: [String: Operation] = [
    "GET /session": Operation(
      "Whether a token is needed, and whom the request's own belongs to.",
      answers: [.json(200, schema("Session"))]),
    "POST /session": Operation(
      "Sign a browser in: the token of `Authorization` begins a session, whose cookie scripts cannot read. "
        + "It ends after 12 hours without a request, by `DELETE /session`, and when the token is revoked.",
      answers: [
        .json(
          200, schema("Session"),
          fields: ["Set-Cookie": "vicregd_session; over TLS __Host-vicregd_session"])
      ]),
    "DELETE /session": Operation(
      "Sign a browser out.",
      answers: [Answer(status: 204, content: [:], fields: ["Set-Cookie": "an empty session cookie"])]),
  ]

  /// Events that lines of a job become.
  private static let lineEvents = [
    "started", "metric", "checkpoint", "health", "warning", "result", "yielded", "end", "message",
  ]

  private static func batch(_ name: String) -> JSON {
    [
      "type": "object", "required": ["jobs"],
      "properties": ["jobs": ["type": "array", "items": schema(name)]],
    ]
  }

  /// The raw values of an enumeration.
  static func choices<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) -> JSON {
    ["enum": .array(Choice.allCases.map { .string($0.rawValue) })]
  }

  private static var statePattern: String { list(of: JobState.self) }
  private static var healthPattern: String { list(of: HealthState.self) }

  /// Matches raw values of an enumeration, separated by commas.
  private static func list<Choice: RawRepresentable<String> & CaseIterable>(of type: Choice.Type) -> String {
    let words = Choice.allCases.map(\.rawValue).joined(separator: "|")
    return "^(\(words))(,(\(words)))*$"
  }
}
