import HTTP
import JSONText
import JobStore
import Recipe
import Sweeps
import Text

// The routes of sweeps, each said once.

extension API {
  /// Every route of sweeps.
  var sweepEndpoints: [Endpoint] { sweepCollection + sweepRequests + trialEndpoints }

  private typealias Document = OpenAPIDocument

  private static let sweepPath = OpenAPIDocument.Parameter.path(
    "id", OpenAPIDocument.schema("SweepID"), "the sweep")
  private static let sweepTagged = [
    "ETag": "changes whenever the sweep, a trial or the state of a job does; for If-None-Match and If-Match"
  ]
  /// Members of a sweep, in the order of their bytes.
  static let sweepMembers: [ByteString] = OpenAPIDocument.sweepProperties.keys.sorted()

  private var sweepCollection: [Endpoint] {
    let sweep = Document.schema("Sweep")
    let tagged = Self.sweepTagged
    // A sweep may be as long as its base.
    let limit = BodyLimit(
      name: "body_bytes_max", bytesMax: limits["body_bytes_max"] ?? RequestLimits().bodyBytesMax)
    return [
      Endpoint(
        method: .post, pattern: "/sweeps",
        operation: .init(
          "Begin a sweep: trials of one training with other values, asked for one after the other. The "
            + "corners of its space are resolved and checked before.",
          [.query("dry_run", Document.flag, "1 or true: only resolve and check"), Document.idempotencyKey],
          body: (Document.schema("SweepSubmission"), true),
          answers: [
            .json(200, Document.schema("ResolvedSweep")),
            .json(
              201, sweep,
              fields: tagged.merging([
                "Location": "of the sweep", "Idempotency-Replayed": "`true` where the key was known",
              ]) { $1 }),
          ]), weight: .heavy, bodyLimit: limit, handler: postSweep),
      Endpoint(
        method: .get, pattern: "/sweeps",
        operation: .init(
          "Sweeps: filtered, sorted, page by page.", [Document.ifNoneMatch] + Self.sweepListQuery,
          answers: [
            .json(
              200, Document.schema("SweepList"),
              fields: Document.listTagged.merging(["Link": "the next page, rel=next (RFC 8288)"]) { $1 }),
            .empty(304),
          ], problems: [412]), weight: .heavy, handler: listSweeps),
      Endpoint(
        method: .get, pattern: "/sweeps/{id}",
        operation: .init(
          "A sweep.", [Self.sweepPath, Document.ifNoneMatch],
          answers: [.json(200, sweep, fields: tagged), .empty(304)], problems: [404, 412]),
        weight: .heavy, handler: getSweep),
      Endpoint(
        method: .patch, pattern: "/sweeps/{id}",
        operation: .init(
          "Change name, labels, notes or priority by a merge patch (RFC 7396); the priority is that of its "
            + "jobs.",
          [Self.sweepPath, Document.ifMatch], body: (Document.schema("Labelling"), true),
          bodyTypes: Request.patchTypes, answers: [.json(200, sweep, fields: tagged)], problems: [404, 412]),
        weight: .heavy, handler: relabelSweep),
      Endpoint(
        method: .delete, pattern: "/sweeps/{id}",
        operation: .init(
          "Remove a finished sweep and its trials. Its jobs stay.", [Self.sweepPath, Document.ifMatch],
          answers: [.empty(204)], problems: [404, 409, 412]), weight: .heavy, handler: deleteSweep),
    ]
  }

  private static var sweepListQuery: [OpenAPIDocument.Parameter] {
    let states = SweepRecord.State.allCases.map(\.rawValue).joined(separator: "|")
    let fields = SweepOrder.Field.allCases.map(\.rawValue).joined(separator: "|")
    let members = sweepMembers.map(\.string).joined(separator: "|")
    return [
      .query(
        "state", ["type": "string", "pattern": .string("^(\(states))(,(\(states)))*$")],
        "states, separated by commas"),
      .query(
        "label",
        [
          "type": "array", "maxItems": .integer(listLabelsMax),
          "items": ["type": "string", "pattern": "^[^=]"],
        ], "sweeps that have the label: KEY or KEY=VALUE; may be given several times, all must match"),
      .query(
        "q", ["type": "string"],
        "words, at most \(listWordsMax), that all occur in name, labels (KEY=VALUE) or notes"),
      .query(
        "sort", ["type": "string", "pattern": .string("^-?(\(fields))$")],
        "the field to sort by, after - in descending order; default: -created_at"),
      .query(
        "fields", ["type": "string", "pattern": .string("^(\(members))(,(\(members)))*$")],
        "members of sweeps, separated by commas; only these are in the answer"),
      .query("limit", .integerSchema(1...listLimitMax), "sweeps in one answer; default \(listLimitDefault)"),
      .query(
        "cursor", ["type": "string", "pattern": "^[1-9][0-9]*$"],
        "`next_cursor` of the answer before, with the same sort"),
    ]
  }

  private var sweepRequests: [Endpoint] {
    func request(
      _ name: String, _ summary: String, body: (schema: JSON, isRequired: Bool), problems: [Int],
      _ handler: @escaping Handler
    ) -> Endpoint {
      Endpoint(
        method: .post, pattern: "/sweeps/{id}/\(name)",
        operation: .init(
          summary, [Self.sweepPath, Document.ifMatch], body: body,
          answers: [.json(202, Document.schema("Sweep"), fields: Self.sweepTagged)], problems: problems),
        weight: .heavy, handler: handler)
    }
    let nothing: JSON = ["type": "object", "additionalProperties": false]
    let more: JSON = [
      "type": "object", "minProperties": 1, "additionalProperties": false,
      "properties": [
        "max_trials": Document.about(
          "Trials in all, more than before; it may be missing where the sweep gets more time.",
          .integerSchema(SweepSpecification.maxTrialsRange)),
        "max_duration_seconds": Document.about(
          "Seconds from the start of its first trial, more than have passed; null: as long as it takes.",
          ["anyOf": [["type": "null"], .integerSchema(SweepSpecification.maxDurationRange)]]),
      ],
    ]
    return [
      request(
        "pause", "Rest: jobs that wait are paused, those that run write a checkpoint first.",
        body: (nothing, false), problems: [404, 409, 412], pauseSweep),
      request(
        "resume", "Go on with a paused sweep and its jobs.", body: (nothing, false),
        problems: [404, 409, 412],
        resumeSweep),
      request(
        "cancel", "End a sweep and its jobs; asking twice is harmless.", body: (nothing, false),
        problems: [404, 412], cancelSweep),
      request(
        "extend", "Give a sweep more trials or more time; one that has succeeded goes on.",
        body: (more, true),
        problems: [404, 409, 412], extendSweep),
    ]
  }

  private var trialEndpoints: [Endpoint] {
    let most = SweepSpecification.maxTrialsRange.upperBound
    return [
      Endpoint(
        method: .get, pattern: "/sweeps/{id}/trials",
        operation: .init(
          "The trials of a sweep.",
          [
            Self.sweepPath, Document.ifNoneMatch,
            .query(
              "state",
              [
                "type": "string",
                "pattern": .string(
                  "^(\(Self.trialStates))(,(\(Self.trialStates)))*$"),
              ], "states, separated by commas"),
            .query(
              "sort", Document.choices(TrialSorting.self), "number (the default), or rank: the best first"),
            .query("limit", .integerSchema(1...most), "trials in one answer; default: all"),
            .query(
              "cursor", ["type": "string", "pattern": "^[1-9][0-9]*$"], "`next_cursor` of the answer before"),
          ],
          answers: [.json(200, Document.schema("TrialList"), fields: Document.listTagged), .empty(304)],
          problems: [404, 412]), weight: .heavy, handler: listTrials),
      Endpoint(
        method: .get, pattern: "/sweeps/{id}/trials.csv",
        operation: .init(
          "The trials of a sweep as a table, with a column per parameter; without ids and times, so that it "
            + "is the same however often the daemon was restarted on the way.",
          [Self.sweepPath, Document.ifNoneMatch],
          answers: [
            Document.Answer(
              status: 200, content: ["text/csv": ["type": "string"]], fields: Document.listTagged),
            .empty(304),
          ],
          problems: [404, 412]), weight: .heavy, handler: trialTable),
      Endpoint(
        method: .get, pattern: "/sweeps/{id}/events",
        operation: .init(
          "A sweep and its trials as Server-Sent Events: as they are, then every change, until the sweep "
            + "ends.",
          [Self.sweepPath, Document.after, Document.lastEventID],
          answers: [
            .events(
              ["sweep", "trial", "end", "resync", "sweep_deleted"],
              data: "for `sweep` the Sweep, for `trial` {sweep, trial} with a Trial")
          ],
          problems: [404]), handler: followSweep),
    ]
  }

  private static let trialStates = TrialView.State.allCases.map(\.rawValue).joined(separator: "|")
}
