import JSONText
import JobModel
import JobStore
import Recipe
import Sweeps
import Text

// What sweeps look like in requests and answers.

extension OpenAPIDocument {
  /// The schemas of sweeps and trials.
  static let sweepSchemas: [ByteString: JSON] = [
    "SweepID": [
      "type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{16}$",
      "description": "The id of a sweep; ids sort by age.",
    ],
    "SweepSubmission": [
      "type": "object", "required": ["space"], "additionalProperties": false,
      "properties": .object(
        JobLabelling.schemas.merging(SweepSpecification.fields.properties(defaults: SweepSpecification())) {
          $1
        }),
    ],
    "SweepSpecification": SweepSpecification.fields.schema(defaults: nil),
    "Sweep": described(sweepProperties),
    "SweepList": described([
      "sweeps": list(
        "One page of the list; with `fields`, only these members of each sweep.",
        of: ["type": "object", "properties": .object(sweepProperties)]),
      "next_cursor": about("The `cursor` of the next page; null: this is the last one.", textOrNull),
      "total": about("Sweeps on all pages.", count),
    ]),
    "ResolvedSweep": described(
      sweepLabelling.merging([
        "dry_run": about("Nothing was begun.", ["const": true]),
        "spec": about("Every field of what was asked for.", object("SweepSpecification")),
        "configurations": about("Configurations of the space; null: infinitely many.", countOrNull),
        "max_trials": about("Trials that the sweep may have; null: any number.", countOrNull),
        "estimate": about("What the largest training of a trial would take.", object("Estimate")),
      ]) { $1 }),
    "TrialList": described([
      "trials": list("Trials in the order that was asked for.", of: object("Trial")),
      "next_cursor": about("The `cursor` of the next page; null: this is the last one.", textOrNull),
      "total": about("Trials on all pages.", count),
    ]),
    "Trial": described(trial),
  ]

  private static let sweepLabelling: [ByteString: JSON] = [
    "name": about("The sweep's name; null: it has none.", textOrNull),
    "labels": about(
      "Keys and values by which lists are filtered.", ["type": "object", "additionalProperties": text]),
    "notes": about("Any text for people; null: there is none.", textOrNull),
    "priority": about("Of its jobs.", ["type": "integer", "minimum": 0, "maximum": 100]),
  ]

  /// The members of a sweep.
  static let sweepProperties: [ByteString: JSON] = sweepLabelling.merging([
    "id": about("Names the sweep.", object("SweepID")),
    "state": about("Where the sweep is in its life.", choices(SweepRecord.State.self)),
    "reason": about(
      "Why it has ended, or is about to, for programs: max_trials, space_exhausted, max_failed, "
        + "max_duration or cancelled; null: it goes on.", textOrNull),
    "message": about("Why, for people.", textOrNull),
    "created_at": about("When it was begun.", time),
    "started_at": about("When the first of its jobs began; null: none has.", timeOrNull),
    "finished_at": about("When it ended; null: it has not.", timeOrNull),
    "trials": about(
      "How many trials were asked for, and how many of them are in each state.",
      described(
        Dictionary(
          (["total"] + TrialView.State.allCases.map { ByteString($0.rawValue) }).map {
            ($0, about("Trials.", count))
          }, uniquingKeysWith: { $1 }))),
    "best": about(
      "The best trial so far; of trials that were stopped early, those that trained longest count first. "
        + "null: none has a value.",
      nullable(
        described([
          "trial": about("Its number.", count),
          "job": about("Its training; null: it was deleted.", nullable(object("JobID"))),
          "value": about("What it has reported.", numberOrNull), "parameters": parameters,
        ]))),
    "importances": list(
      "How much each parameter has to do with whether a trial is among the best tenth, by "
        + "\(Importances.method), the largest first; they add up to 1. Empty: fewer than two have a value.",
      of: described([
        "parameter": about("Its JSON pointer into the specification.", text),
        "value": about("Its share.", fraction),
      ])),
    "progress": about("Share of its trials that have ended.", fraction),
    "seconds_left": about(
      "Seconds until it ends, by its trials so far; null: not known, or it does not run.", numberOrNull),
    "spec": about("Every field of what was asked for.", object("SweepSpecification")),
  ]) { $1 }

  private static let parameters = about(
    "Values by JSON pointer into the specification.",
    ["type": "object", "additionalProperties": ["type": ["string", "number", "boolean", "null"]]])

  private static let trial: [ByteString: JSON] = [
    "number": about("Counts the trials of the sweep, from 0.", count),
    "job": about("Its training; null: it has none, or that was deleted.", nullable(object("JobID"))),
    "evaluation": about("The evaluation of its training; null: there is none.", nullable(object("JobID"))),
    "state": about("Where the trial is in its life.", choices(TrialView.State.self)),
    "value": about("What it has reported last, the mean of its seeds; null: nothing.", numberOrNull),
    "parameters": parameters,
    "rung": about(
      "The rung that it has reached or trains to, from 0; null: without early_stopping.", countOrNull),
    "stopped_at": about("The rung at which it was stopped; null: it was not.", countOrNull),
    "rung_values": list("What it has reported at each rung.", of: number),
    "epochs": about("Epochs that it trains; null: not known.", countOrNull),
    "message": about("Why it is in its state, for people.", textOrNull),
    "seeds": list(
      "Its trainings, which differ in their seed.",
      of: described([
        "seed": about("Counts them, from 0.", count),
        "job": about("The training.", nullable(object("JobID"))),
        "evaluation": about("Its evaluation.", nullable(object("JobID"))),
        "value": about("What it has reported.", numberOrNull),
      ])),
  ]
}
