import JobModel
import Text

extension OpenAPIDocument {
  /// Everything that operations refer to.
  static func schemas(datasets: [String]) -> [ByteString: JSON] {
    requests(datasets: datasets).merging(answers) { $1 }
  }

  private static func requests(datasets: [String]) -> [ByteString: JSON] {
    let names: JSON = ["enum": .array(datasets.map(JSON.string))]
    let train = replacing(TrainSpecification.schema, ["dataset", "name"], by: names)
    let evaluate = replacing(
      replacing(EvaluateSpecification.schema, ["dataset", "name"], by: names), ["checkpoint", "job"],
      by: ["$ref": "#/components/schemas/JobID"])
    let single: JSON = ["oneOf": [object("TrainJob"), object("EvaluateJob")]]
    return [
      "JobID": [
        "type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{16}$", "description": "sorts by age",
      ],
      "TrainSpecification": train, "EvaluateSpecification": evaluate,
      "TrainJob": submission(.train, "TrainSpecification", isBatch: false),
      "EvaluateJob": submission(.evaluate, "EvaluateSpecification", isBatch: false),
      "Submission": ["anyOf": [single, object("Batch")]],
      "Batch": [
        "type": "object", "required": ["jobs"], "additionalProperties": false,
        "properties": [
          "jobs": [
            "type": "array", "minItems": 1, "maxItems": .integer(API.jobsPerRequestMax),
            "items": [
              "oneOf": [
                submission(.train, "TrainSpecification", isBatch: true),
                submission(.evaluate, "EvaluateSpecification", isBatch: true),
              ]
            ],
          ]
        ],
      ],
      "Labelling": [
        "type": "object", "properties": .object(JobLabelling.schemas), "additionalProperties": false,
      ],
      "Cancellation": [
        "type": "object", "properties": ["mode": choices(CancelMode.self)], "additionalProperties": false,
      ],
    ]
  }

  /// A job as it is queued.
  private static func submission(_ kind: JobKind, _ specification: String, isBatch: Bool) -> JSON {
    var properties = JobLabelling.schemas
    properties.merge(JobPolicy.schemas) { $1 }
    properties["needs"] = [
      "type": "array", "maxItems": .integer(SubmissionReader.needsMax), "items": text,
      "description": "ids of jobs, or refs of earlier ones of the same request",
    ]
    properties["kind"] = ["const": .string(kind.rawValue)]
    properties["spec"] = object(specification)
    if isBatch { properties["ref"] = ObjectReader.lineSchema(bytesMax: 64) }
    var required: [JSON] = ["kind"]
    if kind == .evaluate { required.append("spec") }
    return [
      "type": "object", "properties": .object(properties), "required": .array(required),
      "additionalProperties": false,
    ]
  }

  private static func object(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

  /// The schema with the one of a property some levels down replaced.
  private static func replacing(_ schema: JSON, _ path: [ByteString], by new: JSON) -> JSON {
    guard let name = path.first, var members = schema.object, var properties = members["properties"]?.object,
      let old = properties[name]
    else { return schema }
    properties[name] = path.count == 1 ? new : replacing(old, Array(path.dropFirst()), by: new)
    members["properties"] = .object(properties)
    return .object(members)
  }

  private static let text: JSON = ["type": "string"]
  private static let textOrNull: JSON = ["type": ["string", "null"]]
  private static let time: JSON = ["type": "string", "format": "date-time"]
  private static let timeOrNull: JSON = ["type": ["string", "null"], "format": "date-time"]
  private static let integer: JSON = ["type": "integer"]
  private static let integerOrNull: JSON = ["type": ["integer", "null"]]
  private static let numberOrNull: JSON = ["type": ["number", "null"]]

  private static let null: JSON = ["type": "null"]
  private static let reasonOrNull: JSON = ["anyOf": [choices(Reason.self), null]]
  private static let fraction: JSON = ["type": "number", "minimum": 0, "maximum": 1]
  private static let labels: JSON = ["type": "object", "additionalProperties": text]
  private static let specification: JSON = [
    "description": "with every field resolved",
    "anyOf": [object("TrainSpecification"), object("EvaluateSpecification")],
  ]
  private static let line: JSON = [
    "type": "object", "required": ["event"],
    "description": """
    One line of a job's stream: what the worker has recorded. `metric` lines have the loss and its parts \
    under `loss`, `inv`, `var`, `cov` and further numbers; one that is not finite is null.
    """,
    "properties": [
      "event": text, "step": integer, "epoch": integer, "steps": integer, "epochs": integer,
      "time": time, "attempt": integer, "threads": integer, "isa": text, "cpu": textOrNull,
      "cores": integerOrNull, "memory_bytes": integerOrNull, "version": textOrNull,
      "loss": numberOrNull, "inv": numberOrNull, "var": numberOrNull, "cov": numberOrNull,
      "lr": numberOrNull, "images_per_second": numberOrNull, "name": text, "bytes": integer, "sha256": text,
      "message": text, "state": text, "reason": text, "result": ["type": "object"],
    ],
  ]

  private static func seconds(_ description: String, orNull: Bool = false) -> JSON {
    [
      "type": orNull ? ["number", "null"] : "number", "minimum": 0,
      "description": .string("seconds \(description)"),
    ]
  }

  private static func count(_ description: String) -> JSON {
    ["type": ["integer", "null"], "minimum": 0, "description": .string(description)]
  }

  private static func described(_ properties: [ByteString: JSON], optional: Set<ByteString> = []) -> JSON {
    let required = properties.keys.sorted().filter { !optional.contains($0) }.map { JSON.string($0) }
    return ["type": "object", "properties": .object(properties), "required": .array(required)]
  }

  private static func buckets(_ description: String, count: Int) -> JSON {
    [
      "type": "array", "description": .string(description),
      "items": [
        "type": "array", "items": numberOrNull, "minItems": .integer(count), "maxItems": .integer(count),
      ],
    ]
  }

  private static let answers: [ByteString: JSON] = [
    "Problem": described(
      [
        "type": text, "title": text, "status": integer, "detail": text,
        "errors": ["type": "array", "items": described(["pointer": text, "message": text])],
      ], optional: ["detail", "errors"]),
    "Job": described(
      [
        "id": object("JobID"), "kind": choices(JobKind.self), "name": textOrNull,
        "labels": labels, "notes": textOrNull, "priority": integer,
        "state": choices(JobState.self), "reason": reasonOrNull, "message": textOrNull, "attempt": integer,
        "failures": integer, "needs": ["type": "array", "items": object("JobID")],
        "on_dependency_failure": choices(JobPolicy.OnDependencyFailure.self), "max_duration": integerOrNull,
        "max_attempts": integer, "created_at": time, "started_at": timeOrNull,
        "finished_at": timeOrNull,
        "running_seconds": seconds(
          "spent running, all attempts together; not in the queue, at rest, or without a worker"),
        "estimate": object("Estimate"), "progress": object("Progress"),
        "host": ["anyOf": [object("Host"), null]],
        "health": object("Health"), "summary": ["anyOf": [object("Summary"), null]],
        "latest": ["anyOf": [object("Line"), null]], "result": ["anyOf": [object("Result"), null]],
        "spec": specification,
      ], optional: ["result"]),
    "Resolved": described([
      "dry_run": ["const": true], "kind": choices(JobKind.self), "name": textOrNull,
      "labels": labels, "notes": textOrNull, "priority": integer, "spec": specification,
      "on_dependency_failure": text, "max_duration": integerOrNull, "max_attempts": integer,
      "steps": integerOrNull, "memory_bytes": integerOrNull, "estimate": object("Estimate"),
    ]),
    "Estimate": described([
      "seconds": seconds(
        """
        that the whole job will spend running, by what this machine had measured of such work when the job \
        was started last, or has by now; null where it never did any
        """, orNull: true),
      "memory_bytes": count(
        "bytes that the job's process takes at most, planned exactly; null where that is not known"),
      "disk_bytes": count(
        "bytes that its checkpoints, events and log take at most, about; null where that is not known"),
    ]),
    "Progress": described([
      "step": ["type": "integer", "minimum": 0, "description": "steps done; an evaluation's are its stages"],
      "steps": count("steps that will be taken, `max_steps` included; null until that is known"),
      "epoch": count("epochs done; of a linear evaluation those of its present classifier"),
      "epochs": count(
        """
        epochs that the steps begin; of a linear evaluation those of each classifier; null for protocol \
        logistic, which has none, and until they are known
        """),
      "images_per_second": [
        "type": ["number", "null"], "minimum": 0,
        "description": """
        by the steps of the present or last attempt and the time between their lines: a mean in which a \
        moment t seconds back weighs exp(-t/60); null before the first steps, and where steps are not of \
        equal length
        """,
      ],
      "seconds_left": seconds(
        """
        until `finish_at`; null for a job that is not running (`estimate` says what a whole one takes), \
        where nothing is known, and for an evaluation that has taken longer than its estimate
        """, orNull: true),
      "finish_at": [
        "type": ["string", "null"], "format": "date-time",
        "description": """
        when a running job will have finished: a training by its pace, an evaluation by its estimate; null \
        as `seconds_left` is
        """,
      ],
    ]),
    "Host": [
      "type": "object", "description": "what the job's last attempt ran on; null before it has begun",
      "required": ["cores", "cpu", "isa", "memory_bytes", "threads", "version"],
      "properties": [
        "cpu": [
          "type": ["string", "null"], "description": "the processor's model; null where it has no name",
        ],
        "cores": count("cores that affinity and CPU quota left to the worker"),
        "threads": ["type": "integer", "minimum": 1, "description": "threads of the worker's engine"],
        "isa": [
          "type": "string",
          "description": "instruction set of the kernels; results have the same bits only within one",
        ],
        "memory_bytes": count("bytes of memory that the machine, or the worker's control group, has"),
        "version": ["type": ["string", "null"], "description": "of the worker's program"],
      ],
    ],
    "Line": line,
    "Result": described(
      [
        "protocol": text, "features": text, "feature_layer": text, "preset": text, "dataset": text,
        "method": text, "isa": text, "train_images": integer, "test_images": integer,
        "seconds": seconds("that the evaluation ran, all attempts together"),
        "top1": fraction, "layer": text, "train_top1": fraction, "ridge": ["type": "number"],
        "iterations": integer, "baselines": described(["raw_pixels": fraction, "untrained": fraction]),
      ],
      optional: [
        "baselines", "isa", "iterations", "layer", "method", "ridge", "seconds", "test_images",
        "train_images",
        "train_top1",
      ]),
    "Session": described([
      "needs_token": ["type": "boolean"], "name": textOrNull, "role": ["enum": ["read", "write", .null]],
    ]),
    "JobList": described(["jobs": ["type": "array", "items": object("Job")], "next_cursor": textOrNull]),
    "TransitionList": described([
      "transitions": [
        "type": "array",
        "items": described([
          "id": integer, "job": object("JobID"), "time": time,
          "from": ["anyOf": [choices(JobState.self), null]], "to": choices(JobState.self),
          "reason": reasonOrNull, "message": textOrNull, "actor": choices(Actor.self), "attempt": integer,
        ]),
      ]
    ]),
    "Health": described([
      "state": choices(HealthState.self),
      "message": ["type": ["string", "null"], "description": "why, for people"],
      "step": ["type": ["integer", "null"], "description": "the optimiser step at which it was found"],
    ]),
    "Summary": [
      "type": "object",
      "description": """
      Of each metric, all lines together; null where no value is finite. `mean` is that of the last tenth of \
      the finite values; the best is the lowest, but the highest of rankme, std_mean, std_min, \
      images_per_second and accuracies.
      """,
      "additionalProperties": described([
        "last": numberOrNull, "mean": numberOrNull, "min": numberOrNull, "max": numberOrNull,
        "best_step": integerOrNull,
      ]),
    ],
    "Series": described([
      "job": object("JobID"),
      "width": [
        "type": "integer", "minimum": 1,
        "description": "steps of a bucket: a power of two; buckets begin at its multiples",
      ],
      "series": [
        "type": "object",
        "additionalProperties": buckets(
          "[step, mean, min, max] of each bucket with a line; nulls: no value is finite", count: 4),
      ],
      "not_finite": [
        "type": "object",
        "additionalProperties": buckets(
          "[step, count] of each bucket with values that are not finite", count: 2),
      ],
    ]),
    "CheckpointList": described([
      "checkpoints": [
        "type": "array",
        "items": described([
          "name": text, "step": integer, "epoch": integer, "bytes": integer, "sha256": text,
          "created_at": timeOrNull,
        ]),
      ]
    ]),
    "DatasetList": described([
      "datasets": [
        "type": "array",
        "items": described([
          "name": text, "available": ["type": "boolean"], "counts": ["type": ["object", "null"]],
          "problem": textOrNull,
        ]),
      ]
    ]),
    "Dataset": described([
      "name": text, "classes": ["type": "array", "items": text], "counts": ["type": "object"],
      "shape": ["type": "array", "items": integer], "mean": ["type": "array", "items": ["type": "number"]],
      "std": ["type": "array", "items": ["type": "number"]],
    ]),
  ]
}
