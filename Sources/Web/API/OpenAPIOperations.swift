import HTTP
import JSONText
import JobModel
import JobStore
import Recipe
import Text

extension OpenAPIDocument {
  /// What is said of each route, by method and pattern. A test holds it to the routes.
  static let operations = [jobs, life, streams, others, session].reduce(into: [:]) { all, part in
    all.merge(part) { $1 }
  }

  private static let id = Parameter.path("id", schema("JobID"), "the job")
  /// Answers 304 to who has the present answer.
  static let ifNoneMatch = Parameter.header(
    "If-None-Match", ["type": "string"], "304 where one of the entity tags is that of the answer")
  /// Refuses a change of what has changed meanwhile.
  static let ifMatch = Parameter.header(
    "If-Match", ["type": "string"], "412 where none of the entity tags is the job's present one")
  /// Makes a request that creates have its effect once.
  static let idempotencyKey = Parameter.header(
    "Idempotency-Key", ["type": "string", "pattern": "^([!#-~]{1,255}|\"[!#-~]{1,255}\")$"],
    "the same key and request give the first answer again, for 7 days")
  private static let job = schema("Job")

  /// The schema of that name.
  static func schema(_ name: String) -> JSON {
    ["$ref": .string("#/components/schemas/\(name)")]
  }

  private static func integer(_ range: ClosedRange<Int>) -> JSON { .integerSchema(range) }

  /// `true` or `false`.
  static let flag: JSON = ["enum": .array(QueryReader.flagValues.map { .string($0.text) })]

  private static let jobs: [String: Operation] = [
    "POST /jobs": Operation(
      "Queue a job, or several that may name one another by ref: all or none.",
      [
        .query("dry_run", flag, "1 or true: only resolve and check"),
        idempotencyKey,
      ],
      body: (schema("Submission"), true),
      answers: [
        .json(200, ["anyOf": [schema("Resolved"), batch("Resolved")]]),
        .json(
          201, ["anyOf": [job, batch("Job")]],
          fields: tagged.merging([
            "Location": "of a single job", "Idempotency-Replayed": "`true` where the key was known",
          ]) { $1 }),
      ]),
    "GET /jobs": Operation(
      "Jobs: filtered, sorted, page by page.",
      [
        ifNoneMatch,
        .query("state", ["type": "string", "pattern": .string(statePattern)], "states, separated by commas"),
        .query("kind", choices(JobKind.self), "one kind only"),
        .query("sweep", schema("SweepID"), "jobs of the trials of one sweep only"),
        .query("dataset", ["type": "string"], "jobs of these datasets, separated by commas"),
        .query(
          "method", ["type": "string", "pattern": .string(list(of: MethodName.self))],
          "trainings by these methods and jobs that take their checkpoints, separated by commas"),
        .query(
          "health", ["type": "string", "pattern": .string(healthPattern)], "healths, separated by commas"),
        .query(
          "label",
          [
            "type": "array", "maxItems": .integer(API.listLabelsMax),
            "items": ["type": "string", "pattern": "^[^=]"],
          ], "jobs that have the label: KEY or KEY=VALUE; may be given several times, all must match"),
        .query(
          "q", ["type": "string"],
          "words, at most \(API.listWordsMax), that all occur in name, labels (KEY=VALUE) or notes; the "
            + "case of ASCII letters does not matter"),
        .query(
          "sort", ["type": "string", "pattern": .string("^-?(\(words(JobOrder.Field.self)))$")],
          "the field to sort by, after - in descending order; jobs without a value come last. `loss` and "
            + "`rankme` are the last ones; `queue`: what runs, what is queued in the order in which it "
            + "begins, what rests, what has finished. Default: -created_at"),
        .query(
          "fields",
          ["type": "string", "pattern": .string("^(\(memberWords))(,(\(memberWords)))*$")],
          "members of jobs, separated by commas; only these are in the answer"),
        .query(
          "limit", integer(1...API.listLimitMax), "jobs in one answer; default \(API.listLimitDefault)"),
        .query(
          "cursor",
          ["type": "string", "pattern": "^[1-9][0-9]*(\\.-?[a-z0-9_]+(\\.([0-9a-f]{2})*(\\.[0-9]+)?)?)?$"],
          "`next_cursor` of the answer before, with the same sort"),
      ],
      answers: [
        .json(
          200, schema("JobList"),
          fields: listTagged.merging(["Link": "the next page, with rel=next (RFC 8288)"]) { $1 }),
        .empty(304),
      ], problems: [412]),
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
      "Change name, labels, notes or priority by a merge patch (RFC 7396); one that changes nothing leaves "
        + "the entity tag.",
      [id, ifMatch], body: (schema("Labelling"), true), bodyTypes: Request.patchTypes,
      answers: [.json(200, job, fields: tagged)], problems: [404, 412]),
    "DELETE /jobs/{id}": Operation(
      "Remove a finished job, its lines and its files.", [id, ifMatch], answers: [.empty(204)],
      problems: [404, 409, 412]),
    "POST /jobs/{id}/cancel": Operation(
      "End a job; asking twice is harmless.", [id, ifMatch], body: (schema("Cancellation"), false),
      answers: [.json(202, job, fields: tagged)], problems: [404, 412]),
  ]

  /// The tag of what has a revision.
  static let tagged = ["ETag": "changes whenever the job does; for If-None-Match and If-Match"]

  /// The tag of what is made anew.
  static let listTagged = ["ETag": "changes whenever the answer does; for If-None-Match"]

  private static let nothing: JSON = ["type": "object", "additionalProperties": false]

  private static let life: [String: Operation] = [
    "POST /jobs/{id}/pause": change("Rest: what runs writes a checkpoint first."),
    "POST /jobs/{id}/resume": change("Go on with a paused job."),
    "POST /jobs/{id}/retry": change("Go on with a failed or cancelled job from its last checkpoint."),
    "GET /jobs/{id}/transitions": Operation(
      "Every change of the job's state, oldest first.",
      [
        id, ifNoneMatch, .query("after", integer(0...Int.max), "changes after the one with this id"),
        .query(
          "limit", integer(1...API.transitionsLimitMax),
          "changes in one answer; default \(API.transitionsLimitDefault)"),
      ],
      answers: [.json(200, schema("TransitionList"), fields: listTagged), .empty(304)], problems: [404, 412]),
  ]

  private static func change(_ summary: String) -> Operation {
    Operation(
      summary, [id, ifMatch], body: (nothing, false), answers: [.json(202, job, fields: tagged)],
      problems: [404, 409, 412])
  }

  /// Resumes a stream.
  static let lastEventID = Parameter.header(
    "Last-Event-ID", ["type": "string"], "the last id that the client has; counts before `after`")
  /// Resumes a stream that has no `Last-Event-ID`.
  static let after = Parameter.query("after", integer(0...Int.max), "the last id that the client has")

  private static let streams: [String: Operation] = [
    "GET /jobs/{id}/metrics": Operation(
      "The recorded lines, one JSON object per line (schema `Line`), or with `points` or `keys`, "
        + "which go together and without the others, or as text/csv, curves: mean, min and max of equal "
        + "buckets of steps, of all or of those `from` one `to` another. The CSV has `step`, then `NAME`, "
        + "`NAME_min` and `NAME_max` of each metric; all metrics and 100,000 points unless the request asks "
        + "for less.",
      [
        id, .query("follow", flag, "go on until the job ends"),
        .query("from_step", integer(0...Int.max), "no lines of smaller steps"),
        .query("points", integer(API.seriesPointsRange), "curves of at most n points per metric"),
        .query(
          "keys", keysSchema,
          "metrics of the job, separated by commas; default: loss and the parts of its method"),
        .header("Accept", ["type": "string"], "text/csv: curves as a table"),
      ] + curveParameters,
      answers: [
        Answer(
          status: 200,
          content: [
            "application/x-ndjson": ["type": "string"], "application/json": schema("Series"),
            "text/csv": ["type": "string"],
          ])
      ],
      problems: [404]),
    "GET /jobs/{id}/events": Operation(
      "State, lines and changes of state of a job as Server-Sent Events, until it ends; 204: the client has "
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
          lineEvents + ["state", "transition", "resync", "deleted", "sweep", "trial", "sweep_deleted"],
          data: "{job, sequence, line} with a Line, for `state` the Job, for `transition` a Transition, "
            + "for `deleted` {job}, for `sweep` the Sweep, for `trial` {sweep, trial} with a Trial, for "
            + "`sweep_deleted` {sweep}")
      ]),
    "GET /jobs/{id}/log": Operation(
      "What the worker wrote for people.",
      [id, .query("tail", integer(1...API.tailLinesMax), "only the last N lines")],
      answers: [.text(200, "text/plain")], problems: [404]),
    "GET /jobs/{id}/checkpoints": Operation(
      "Checkpoints, oldest first.", [id, ifNoneMatch],
      answers: [.json(200, schema("CheckpointList"), fields: listTagged), .empty(304)], problems: [404, 412]),
    "GET /jobs/{id}/checkpoints/{name}": Operation(
      "A checkpoint: gzipped safetensors. The names `last` and `best` (by the training's "
        + "checkpoint.keep_best) redirect to the checkpoint that this is now.",
      [
        id, .path("name", ["type": "string", "minLength": 1], "as the list names it"), ifNoneMatch,
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
        Answer(status: 302, content: [:], fields: ["Location": "of the checkpoint that `last` or `best` is"]),
        .empty(304),
      ],
      problems: [404, 412, 416]),
    "GET /jobs/{id}/artifacts": Operation(
      "What the job has left besides figures and checkpoints, by name.", [id, ifNoneMatch],
      answers: [.json(200, schema("ArtifactList"), fields: listTagged), .empty(304)], problems: [404, 412]),
    "GET /jobs/{id}/artifacts/{name}": Operation(
      "An artifact: the file, with the media type that the list names.",
      [
        id, .path("name", ["type": "string", "minLength": 1], "as the list names it"), ifNoneMatch,
        .header("Range", ["type": "string"], "parts of it"),
        .header("If-Range", ["type": "string"], "the parts only of this entity tag or date, else all"),
      ],
      answers: [
        Answer(
          status: 200, content: ["*/*": ["type": "string"]],
          fields: [
            "ETag": "the SHA-256", "Repr-Digest": "the SHA-256 (RFC 9530)", "Accept-Ranges": "bytes",
            "Last-Modified": "when it was written", "Content-Disposition": "its name",
          ]),
        Answer(
          status: 206, content: ["*/*": ["type": "string"], "multipart/byteranges": ["type": "string"]],
          fields: ["Content-Range": "which part, where it is one"]),
        .empty(304),
      ],
      problems: [404, 412, 416]),
  ]

  private static let others: [String: Operation] = [
    "GET /jobs/{id}/export": Operation(
      "A training's model for other programs: safetensors with torchvision's names, or ONNX in eval mode, "
        + "whose input `images` is [batch, 3, side, side] in [0, 1]. `part=all` adds the method's own parts. "
        + "Made when it is asked for, and kept for a while.",
      [
        id, .query("format", choices(ExportFormat.self), "of the file; default safetensors"),
        .query("part", choices(ExportPart.self), "of the model; default encoder"),
        .query(
          "checkpoint", ["type": "string", "minLength": 1],
          "last (the default), best (by checkpoint.keep_best), or the name of a checkpoint"),
        ifNoneMatch, .header("Range", ["type": "string"], "parts of it"),
        .header("If-Range", ["type": "string"], "the parts only of this entity tag, else all"),
      ],
      answers: [
        Answer(
          status: 200, content: ["application/octet-stream": ["type": "string"]],
          fields: [
            "ETag": "for If-None-Match and If-Range", "Accept-Ranges": "bytes",
            "Content-Disposition": "its name",
          ]),
        Answer(
          status: 206,
          content: [
            "application/octet-stream": ["type": "string"], "multipart/byteranges": ["type": "string"],
          ], fields: ["Content-Range": "which part, where it is one"]),
        .empty(304),
      ],
      problems: [404, 409, 412, 416, 507]),
    "GET /healthz": Operation(
      "The process answers.", answers: [.json(200, schema("Liveness"))]),
    "GET /readyz": Operation(
      "The store answers too, and workers can be started; the number of jobs in each state, at most one "
        + "second old. 503 says what is short.",
      answers: [.json(200, schema("Readiness"))]),
    "GET /version": Operation(
      "Which build this is.", answers: [.json(200, schema("Version"))]),
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
    "started", "metric", "evaluation", "checkpoint", "artifact", "health", "warning", "result", "yielded",
    "end", "message",
  ]

  private static func batch(_ name: String) -> JSON {
    [
      "type": "object", "required": ["jobs"],
      "properties": [
        "jobs": ["type": "array", "items": schema(name), "description": "in the order of the request"]
      ],
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
    "^(\(words(type)))(,(\(words(type))))*$"
  }

  private static func words<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) -> String {
    Choice.allCases.map(\.rawValue).joined(separator: "|")
  }

  private static var memberWords: String { JobRecord.memberNames.joined(separator: "|").string }
}
