import HTTP
import JSONText
import Text

// The route of the curves of many jobs, and its schema.

extension API {
  /// Every route of the curves of many jobs.
  var curveEndpoints: [Endpoint] {
    typealias Document = OpenAPIDocument
    return [
      Endpoint(
        method: .get, pattern: "/curves",
        operation: .init(
          "Curves of many jobs: mean, min and max of equal buckets of steps, for each job by itself.",
          [
            .query(
              "jobs", ["type": "string", "pattern": "^[0-9a-hjkmnp-tv-z]{16}(,[0-9a-hjkmnp-tv-z]{16})*$"],
              "ids of jobs, at most \(Self.curveJobsMax), separated by commas"),
            .query(
              "keys", Document.keysSchema,
              "metrics, separated by commas; default: loss. A job without one "
                + "has no curve of it"),
            .query(
              "points", .integerSchema(Self.curvePointsRange),
              "buckets of a curve at most; default \(Self.curvePointsDefault). Jobs, metrics and points "
                + "multiplied may be at most \(Self.curveBucketsMax)"),
          ] + Document.curveParameters + [Document.ifNoneMatch],
          answers: [
            .json(200, Document.schema("CurveList"), fields: Document.listTagged), .empty(304),
          ], problems: [412]), weight: .heavy, handler: getCurves)
    ]
  }
}

extension OpenAPIDocument {
  /// The schemas of the curves of many jobs.
  static let curveSchemas: [ByteString: JSON] = [
    "CurveList": described([
      "curves": list("The curves of each job, in the order of the request.", of: schema("Series"))
    ])
  ]

  /// Names of metrics, separated by commas.
  static let keysSchema: JSON = [
    "type": "string", "pattern": "^[a-z0-9_]{1,64}(,[a-z0-9_]{1,64}){0,31}$",
  ]

  /// Which part of curves is wanted, and on which axes.
  static let curveParameters: [Parameter] = [
    .query(
      "from", .integerSchema(CurveQuery.stepRange),
      "curves from this step on; the bucket that it lies in is whole"),
    .query(
      "to", .integerSchema(CurveQuery.stepRange),
      "curves up to this step; the bucket that it lies in is whole"),
    .query(
      "x", ["type": "string", "pattern": "^(step|epoch|time)(,(step|epoch|time))*$"],
      "axes, separated by commas, on which the answer has the buckets' places: `time_ms`, `epoch`; every "
        + "point has its step"),
  ]
}
