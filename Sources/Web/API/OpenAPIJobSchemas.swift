import JSONText
import JobModel
import Recipe
import Text

// What jobs look like in answers.

extension OpenAPIDocument {
  /// The schemas of jobs and their parts.
  static let jobAnswers: [ByteString: JSON] = [
    "Job": described(jobProperties, optional: ["evaluations", "result"]),
    "JobList": described([
      "jobs": list("One page of the list; with `fields`, only these members of each job.", of: jobOrPart),
      "next_cursor": about("The `cursor` of the next page; null: this is the last one.", textOrNull),
      "total": about("Jobs on all pages.", count),
    ]),
    "Resolved": described(
      labelling.merging([
        "dry_run": about("Nothing was queued.", ["const": true]),
        "kind": about("What the job would do.", choices(JobKind.self)),
        "spec": about("The specification with every field resolved.", specification),
        "steps": about("Optimiser steps of the whole run; null: not known.", countOrNull),
        "memory_bytes": about(
          "Memory in bytes that the job would take at most; null: not known.", countOrNull),
        "estimate": about("What the whole job would take.", object("Estimate")),
      ]) { $1 }),
    "Line": line, "Result": result, "EmbedResult": embedResult, "Health": health, "Summary": summary,
    "Estimate": estimate,
    "Progress": progress, "Host": host,
  ]

  /// The members of a job.
  static let jobProperties: [ByteString: JSON] = labelling.merging([
    "id": about("Names the job.", object("JobID")),
    "kind": about("What the job does.", choices(JobKind.self)),
    "state": about("Where the job is in its life.", choices(JobState.self)),
    "reason": about(
      "Why it is in its state, for programs; null: there is no special reason.",
      nullable(choices(Reason.self))),
    "message": about("Why it is in its state, for people.", textOrNull),
    "attempt": about("Counts the attempts, from 1; 0: none has begun.", count),
    "failures": about("Attempts that ended with an error of their own.", count),
    "needs": list("Jobs that have to end before this one begins.", of: object("JobID")),
    "sweep": about(
      "The sweep and the number of its trial that the job belongs to; null: none.",
      nullable(
        described([
          "id": about("Names the sweep.", object("SweepID")),
          "trial": about("Counts the trials of the sweep, from 0.", count),
        ]))),
    "created_at": about("When it was queued.", time),
    "starts_at": about(
      "When a queued job will begin, at the latest, if all takes as long as estimated, to ten seconds; null: "
        + "it is not queued, a worker is free for it, or that is not known.", timeOrNull),
    "method": about(
      "The method of a training, or of the one whose checkpoint the job takes; null: none, or not known.",
      textOrNull),
    "dataset": about("The dataset that it reads or imports; null: none.", textOrNull),
    "top1": about(
      "The accuracy that an evaluation has found, and of a training the best one of its evaluations, as a "
        + "fraction; null: none yet.", numberOrNull),
    "started_at": about("When its first attempt began; null: none has.", timeOrNull),
    "finished_at": about("When it ended; null: it has not.", timeOrNull),
    "running_seconds": about(
      "Seconds spent running, all attempts together; not in the queue, at rest, or without a worker.",
      seconds),
    "estimate": about("What the whole job takes.", object("Estimate")),
    "host": about("What its last attempt ran on; null: it has not begun.", nullable(object("Host"))),
    "progress": about("How far it is.", object("Progress")),
    "health": about("How well the training goes.", object("Health")),
    "summary": about("Its metrics so far; null: there are none.", nullable(object("Summary"))),
    "latest": about("The last metric line; null: there is none.", nullable(object("Line"))),
    "result": about(
      "What an evaluation found, or an import or embedding made; null: nothing yet. A training has none.",
      nullable(["anyOf": [object("Result"), object("ImportResult"), object("EmbedResult")]])),
    "evaluations": list("The evaluations of a training, oldest first. Other jobs have none.", of: evaluation),
    "artifacts": list(
      "Files that it has left besides its checkpoints, by name, as its worker has reported them.",
      of: object("Artifact")),
    "spec": about("The specification with every field resolved.", specification),
  ]) { $1 }

  private static let evaluation = described([
    "id": about("Names the evaluation.", object("JobID")),
    "protocol": about("How it evaluates.", text),
    "layer": about(
      "What it evaluates; null: the input of the projector, by a name not known yet.", textOrNull),
    "label_share": about("Share of the training images whose labels it uses.", fraction),
    "metric": about("With knn: what makes two images near; null with other protocols.", textOrNull),
    "top1": about("Accuracy on the test images, as a fraction; null: not known yet.", numberOrNull),
  ])

  private static let labelling: [ByteString: JSON] = [
    "name": about("The job's name; null: it has none.", textOrNull),
    "labels": about(
      "Keys and values by which lists are filtered.", ["type": "object", "additionalProperties": text]),
    "notes": about("Any text for people; null: there is none.", textOrNull),
    "priority": about(
      "Jobs with a higher priority begin first.", ["type": "integer", "minimum": 0, "maximum": 100]),
    "on_dependency_failure": about(
      "What happens when a job that this one needs ends without success.",
      choices(JobPolicy.OnDependencyFailure.self)),
    "max_duration_seconds": about("Seconds that the job may run; null: as long as it takes.", countOrNull),
    "max_duration": about("The same in seconds, under its old name.", countOrNull),
    "max_attempts": about(
      "Attempts that may fail by an error of their own.", ["type": "integer", "minimum": 1]),
  ]

  /// A list with `fields` has any part of a job.
  private static let jobOrPart: JSON = ["type": "object", "properties": .object(jobProperties)]

  private static let estimate = described([
    "seconds": about(
      """
      Seconds that it spends running, by what this machine had measured of such work when the job was \
      started last, or has by now; null: it never did any.
      """, secondsOrNull),
    "memory_bytes": about("Bytes that its process takes at most; null: not known.", countOrNull),
    "disk_bytes": about(
      "Bytes that its checkpoints, events and log take at most, about; null: not known.", countOrNull),
  ])

  private static let progress = described([
    "epoch": about(
      "Epochs that are complete; of a linear evaluation those of its present classifier.", countOrNull),
    "epochs": about(
      """
      Epochs that the steps begin; of a linear evaluation those of each classifier; null: not known yet, or \
      protocol logistic or knn, which have none.
      """, countOrNull),
    "step": about("Optimiser steps that are done; an evaluation's are its stages.", count),
    "steps": about("Steps that will be taken, `max_steps` included; null: not known yet.", countOrNull),
    "images_per_second": about(
      """
      Speed in images per second, by the steps of the last attempt and the time between their lines: a mean \
      in which a moment t seconds back weighs exp(-t/60). null: before the first steps, and where steps are \
      not of equal length.
      """, numberOrNull),
    "seconds_left": about(
      """
      Seconds until `finish_at`; null: it is not running (`estimate` says what a whole job takes), nothing \
      is known, or an evaluation has taken longer than its estimate.
      """, secondsOrNull),
    "finish_at": about(
      """
      When a running job will have finished: a training by its pace, an evaluation by its estimate; null as \
      `seconds_left` is.
      """, timeOrNull),
  ])

  private static let host = described([
    "cpu": about("The processor's model; null: it has no name.", textOrNull),
    "cores": about("Cores that affinity and CPU quota left to the worker; null: not known.", countOrNull),
    "threads": about("Threads of the worker's engine.", ["type": "integer", "minimum": 1]),
    "isa": about("Instruction set of the kernels; results have the same bits only within one.", text),
    "memory_bytes": about(
      "Bytes of memory that the machine, or the worker's control group, has; null: not known.", countOrNull),
    "version": about("Of the worker's program; null: not known.", textOrNull),
  ])

  /// A time span in seconds.
  static let seconds: JSON = ["type": "number", "minimum": 0]
  private static let secondsOrNull: JSON = ["type": ["number", "null"], "minimum": 0]

  private static let specification: JSON = [
    "anyOf": .array(JobKind.allCases.map { object("Resolved\($0.schemaName)Specification") })
  ]

  private static let health = described([
    "state": about(
      "unknown: too few figures; warning: may recover; collapsed: the embedding says little about its "
        + "images; diverging: the loss grows or is not finite.", choices(HealthState.self)),
    "message": about("Why, for people; null: there is nothing to say.", textOrNull),
    "step": about("The optimiser step at which it was found; null: at none.", countOrNull),
  ])

  /// Metrics whose best value is the highest; accuracies of evaluations are, too.
  private static let highest = Metric.all.filter { $0.best == .highest }.map(\.name).joined(separator: ", ")

  private static let summary: JSON = [
    "type": "object",
    "description": .string(
      """
      Of each metric, all lines together; null where no value is finite. The best is the lowest value, but \
      the highest of \(highest) and of accuracies.
      """),
    "additionalProperties": described([
      "last": about("The last value.", numberOrNull),
      "mean": about("The mean of the last tenth of the finite values.", numberOrNull),
      "min": about("The lowest value.", numberOrNull), "max": about("The highest value.", numberOrNull),
      "best_step": about("The optimiser step of the best value.", countOrNull),
    ]),
  ]

  private static let line: JSON = [
    "type": "object", "required": ["event"],
    "description": """
    One line of a job's stream, as the worker recorded it. `metric` lines of a training have the loss, the \
    parts of its method, which `x-parts` names by method, and further numbers; `evaluation` lines have what \
    the training found on images that it holds back, which `x-online` names. One that is not finite is null.
    """,
    "x-online": .array(Metric.online.map { .string($0.name) }),
    "x-parts": .object(
      Dictionary(
        uniqueKeysWithValues: MethodName.allCases.map { method in
          (ByteString(method.rawValue), JSON.array(method.figures.map { .string($0.name) }))
        })),
    "properties": .object(lineProperties.merging(metricProperties) { $1 }),
  ]

  /// What metric lines have, with the titles of charts.
  private static let metricProperties: [ByteString: JSON] = Dictionary(
    uniqueKeysWithValues: Metric.all.map { metric in
      let schema: JSON = ["type": ["number", "null"], "title": .string(metric.title)]
      return (ByteString(metric.name), about(metric.meaning, schema))
    })

  private static let lineProperties: [ByteString: JSON] = [
    "event": about("What kind of line it is.", text),
    "time": about("When it was recorded.", time),
    "step": about("Optimiser steps that are done.", count),
    "epoch": about("Epochs that are complete.", count),
    "steps": about("Optimiser steps of the whole run.", count),
    "epochs": about("Epochs of the whole run.", count),
    "attempt": about("The attempt, from 1.", count),
    "threads": about("Threads of the worker.", count),
    "isa": about("Instruction set of the worker.", text),
    "cpu": about("The processor's model; null: it has no name.", textOrNull),
    "cores": about("Cores that the worker may use.", countOrNull),
    "memory_bytes": about("Bytes of memory that the worker may use.", countOrNull),
    "version": about("Of the worker's program.", textOrNull),
    "name": about("The name of a checkpoint or an artifact.", text),
    "media_type": about("The `Content-Type` of an artifact.", text),
    "created_at": about("When an artifact was written.", time),
    "bytes": about("Size of a file in bytes.", count),
    "sha256": about("SHA-256 of a file, in hexadecimal digits.", text),
    "message": about("For people.", text), "state": about("The job's state at its end.", text),
    "reason": about("Why, for programs.", text),
    "result": about("What an evaluation found.", ["type": "object"]),
  ]
}
