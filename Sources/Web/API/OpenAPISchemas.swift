import JSONText
import JobModel
import Recipe
import Text

extension OpenAPIDocument {
  /// Everything that operations refer to.
  static func schemas(datasets: [String]) -> [ByteString: JSON] {
    requests(datasets: datasets).merging(jobAnswers) { $1 }.merging(answers) { $1 }
      .merging(datasetSchemas) { $1 }.merging(modelSchemas) { $1 }.merging(embeddingSchemas) { $1 }
      .merging(sweepSchemas) { $1 }.merging(curveSchemas) { $1 }
      .merging(systemSchemas) { $1 }
  }

  private static func requests(datasets: [String]) -> [ByteString: JSON] {
    let names = about("A dataset of GET /datasets.", ["enum": .array(datasets.map(JSON.string))])
    let kinds = SubmissionKind.all
    var schemas: [ByteString: JSON] = [:]
    for kind in kinds {
      let specification = replacing(
        replacing(kind.kind.traits.specification.schema, ["dataset", "name"], by: names),
        ["checkpoint", "job"],
        by: about("The id of a train job.", object("JobID")))
      schemas[ByteString("\(kind.kind.schemaName)Specification")] = specification
      schemas[ByteString("\(kind.kind.schemaName)Job")] = submission(kind, isBatch: false)
    }
    // As answers have them: of datasets that are not in the list, too.
    for kind in JobKind.allCases {
      schemas[ByteString("Resolved\(kind.schemaName)Specification")] =
        kind.traits.specification.resolvedSchema
    }
    let single: JSON = ["oneOf": .array(kinds.map { object("\($0.kind.schemaName)Job") })]
    return schemas.merging([
      "JobID": [
        "type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{16}$",
        "description": "The id of a job; ids sort by age.",
      ],
      "Submission": ["anyOf": [single, object("Batch")]],
      "Batch": [
        "type": "object", "required": ["jobs"], "additionalProperties": false,
        "properties": [
          "jobs": [
            "description": "Jobs that are queued together, all or none, in this order.",
            "type": "array", "minItems": 1, "maxItems": .integer(API.jobsPerRequestMax),
            "items": ["oneOf": .array(kinds.map { submission($0, isBatch: true) })],
          ]
        ],
      ],
      "Labelling": [
        "type": "object", "properties": .object(JobLabelling.patchSchemas), "additionalProperties": false,
      ],
      "Cancellation": [
        "type": "object", "additionalProperties": false,
        "properties": [
          "mode": about(
            "graceful: after the current step, with a checkpoint; now: at once, without one.",
            choices(CancelMode.self))
        ],
      ],
    ]) { $1 }
  }

  /// A job as it is queued.
  private static func submission(_ kind: SubmissionKind, isBatch: Bool) -> JSON {
    var properties = JobLabelling.schemas
    properties.merge(JobPolicy.schemas) { $1 }
    properties["needs"] = [
      "type": "array", "maxItems": .integer(SubmissionReader.needsMax), "items": text,
      "description":
        "Jobs that have to end before this one begins: ids, or refs of earlier jobs of the request.",
    ]
    properties["kind"] = about("What the job does.", ["const": .string(kind.kind.rawValue)])
    properties["spec"] = about(
      "What determines the result; every field has a default.",
      object("\(kind.kind.schemaName)Specification"))
    if isBatch {
      properties["ref"] = about(
        "A name by which later jobs of the request refer to this one.",
        SubmissionReader.ref.schema(nil))
    }
    var required: [JSON] = ["kind"]
    if kind.isSpecRequired { required.append("spec") }
    return [
      "type": "object", "properties": .object(properties), "required": .array(required),
      "additionalProperties": false,
    ]
  }

  /// The schema of that name.
  static func object(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

  /// The schema with the one of a property some levels down replaced.
  private static func replacing(_ schema: JSON, _ path: [ByteString], by new: JSON) -> JSON {
    guard let name = path.first, var members = schema.object, var properties = members["properties"]?.object,
      let old = properties[name]
    else { return schema }
    properties[name] = path.count == 1 ? new : replacing(old, Array(path.dropFirst()), by: new)
    members["properties"] = .object(properties)
    return .object(members)
  }

  /// A property with what it means, its unit and its range.
  static func about(_ description: String, _ schema: JSON) -> JSON {
    schema.described(by: description)
  }

  /// An object whose properties are always there, but for some.
  static func described(_ properties: [ByteString: JSON], optional: Set<ByteString> = []) -> JSON {
    let required = properties.keys.sorted().filter { !optional.contains($0) }.map { JSON.string($0) }
    return ["type": "object", "properties": .object(properties), "required": .array(required)]
  }

  /// An array of some kind of element.
  static func list(_ description: String, of element: JSON) -> JSON {
    ["type": "array", "description": .string(description), "items": element]
  }

  /// Any text.
  static let text: JSON = ["type": "string"]
  /// Any text, or null.
  static let textOrNull: JSON = ["type": ["string", "null"]]
  /// A time (RFC 3339).
  static let time: JSON = ["type": "string", "format": "date-time"]
  /// A time (RFC 3339), or null.
  static let timeOrNull: JSON = ["type": ["string", "null"], "format": "date-time"]
  /// A whole number from 0.
  static let count: JSON = ["type": "integer", "minimum": 0]
  /// A whole number from 0, or null.
  static let countOrNull: JSON = ["type": ["integer", "null"], "minimum": 0]
  /// Any number.
  static let number: JSON = ["type": "number"]
  /// Any number, or null.
  static let numberOrNull: JSON = ["type": ["number", "null"]]
  /// A number from 0 to 1.
  static let fraction: JSON = ["type": "number", "minimum": 0, "maximum": 1]
  private static let null: JSON = ["type": "null"]

  /// A schema, or null.
  static func nullable(_ schema: JSON) -> JSON { ["anyOf": [schema, null]] }

  private static func buckets(_ description: String, count: Int) -> JSON {
    list(
      description,
      of: [
        "type": "array", "items": numberOrNull, "minItems": .integer(count), "maxItems": .integer(count),
      ])
  }

  private static let answers: [ByteString: JSON] = [
    "Problem": described(
      [
        "type": about("A URI reference that names the kind of problem; about:blank: the status does.", text),
        "title": about("The kind of problem.", text),
        "status": about("The status code.", ["type": "integer", "minimum": 400, "maximum": 599]),
        "detail": about("What went wrong this time, and what to do about it.", text),
        "errors": list(
          "Every error of the input once; at most \(ProblemList.problemsMax) are listed.",
          of: described([
            "pointer": about(
              "A JSON Pointer (RFC 6901) into the body; of a query parameter, / and its name.", text),
            "message": about("What is wrong with the value, and what is allowed.", text),
          ])),
      ], optional: ["detail", "errors"]),
    "Session": described([
      "needs_token": about("Whether requests need an access token.", ["type": "boolean"]),
      "name": about("The name of the request's token; null: it has none.", textOrNull),
      "role": about("What the request may do; null: nothing.", ["enum": ["read", "write", .null]]),
      "token_command": about(
        "The command that creates a token, for a browser on the daemon's machine that needs one; else null.",
        textOrNull),
    ]),
    "Liveness": described(["status": about("The process answers.", ["const": "ok"])]),
    "Readiness": described([
      "status": about("The store answers too.", ["const": "ready"]),
      "jobs": about("How many jobs are in each state.", ["type": "object", "additionalProperties": count]),
    ]),
    "Version": described([
      "name": about("The name of the program.", text), "version": about("Its version.", text),
    ]),
    "TransitionList": described([
      "transitions": list("Every change of the job's state, oldest first.", of: transition)
    ]),
    "Series": described(
      [
        "job": about("The job.", object("JobID")),
        "width": about(
          "Steps of a bucket: a power of two; buckets begin at its multiples.",
          ["type": "integer", "minimum": 1]),
        "series": about(
          "The curve of each metric.",
          [
            "type": "object",
            "additionalProperties": buckets(
              "[step, mean, min, max] of each bucket with a line; nulls: no value is finite.", count: 4),
          ]),
        "not_finite": about(
          "Of each metric that has any, the values that are not finite.",
          [
            "type": "object",
            "additionalProperties": buckets(
              "[step, count] of each bucket with values that are not finite.", count: 2),
          ]),
        "time_ms": about(
          "Where x=time is asked for: [step, time] of each bucket, the time in Unix milliseconds.",
          buckets("[step, time] of a bucket.", count: 2)),
        "epoch": about(
          "Where x=epoch is asked for: [step, epoch] of each bucket.",
          buckets("[step, epoch] of a bucket.", count: 2)),
      ], optional: ["epoch", "time_ms"]),
    "CheckpointList": described(["checkpoints": list("Checkpoints, oldest first.", of: checkpoint)]),
    "ArtifactList": described(["artifacts": list("Artifacts by name.", of: object("Artifact"))]),
    "Artifact": described([
      "name": about("The file's name, by which it is downloaded.", text),
      "media_type": about("Its `Content-Type`.", text),
      "bytes": about("Size of the file in bytes.", count),
      "sha256": about("SHA-256 of the file, in hexadecimal digits.", text),
      "created_at": about("When it was written.", time),
    ]),
  ]

  private static let transition = described([
    "id": about("Counts the changes of all jobs.", count),
    "job": about("The job.", object("JobID")), "time": about("When it happened.", time),
    "from": about("The state before; null: the job was new.", nullable(choices(JobState.self))),
    "to": about("The state after.", choices(JobState.self)),
    "reason": about("Why, for programs.", nullable(choices(Reason.self))),
    "message": about("Why, for people.", textOrNull),
    "actor": about("Who caused it.", choices(Actor.self)),
    "attempt": about("The attempt in which it happened, from 1; 0: before the first.", count),
  ])

  private static let checkpoint = described([
    "name": about("The file's name, by which it is downloaded and evaluated.", text),
    "step": about("Optimiser steps that it contains.", count),
    "epoch": about("Epochs that it contains.", count), "bytes": about("Size of the file in bytes.", count),
    "sha256": about("SHA-256 of the file, in hexadecimal digits.", text),
    "created_at": about("When it was reported; null: that is not known.", timeOrNull),
    "is_best": about(
      "Whether it is the best by the training's checkpoint.keep_best.", ["type": "boolean"]),
  ])
}
