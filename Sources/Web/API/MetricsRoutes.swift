import HTTP
import JobModel
import JobStore
import Text

extension API {
  /// The curves that a chart gets if it does not name any.
  static let seriesKeysDefault: [ByteString] = ["loss", "inv", "var", "cov"]
  /// Points of a curve where only its keys are given.
  static let seriesPointsDefault = 500
  /// Points that a curve may have.
  static let seriesPointsRange = 4...100_000
  /// Curves in one answer.
  static let seriesKeysMax = 32

  /// `GET /jobs/{id}/metrics`: the recorded lines, or with `points` or `keys` curves for a
  /// chart: `{"series": {"inv": [[step, value], …], …}}`.
  @Sendable
  func getMetrics(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let fromStep = query.integer("from_step", 0...Int.max)
    let follow = query.flag("follow")
    let given = query.integer("points", Self.seriesPointsRange)
    let keys = query.value("keys").map { $0.split(0x2C) }
    if let keys, keys.isEmpty || keys.count > Self.seriesKeysMax || !keys.allSatisfy(Self.isKey) {
      query.refuse(
        "keys", "must be 1 to \(Self.seriesKeysMax) names of a-z, 0-9 and _, separated by commas")
    }
    let points = given ?? (keys == nil ? nil : Self.seriesPointsDefault)
    if points != nil && (follow || fromStep != nil) {
      query.refuse("points", "and \"keys\" do not go with \"follow\" or \"from_step\"")
    }
    try query.finish()
    let record = try record(request)
    if let points {
      return try series(record, keys: keys ?? Self.seriesKeysDefault, points: points)
    }
    let stream = EventStream(
      .job(record.id), .lines(fromStep: fromStep ?? 0), after: 0, follows: follow, seconds: streamSeconds,
      hub: events, store: store)
    var response = Response(body: .stream(stream))
    response.headers.add("Content-Type", "application/x-ndjson")
    response.headers.add("Cache-Control", "no-cache")
    response.headers.add("X-Accel-Buffering", "no")
    return response
  }

  private func series(_ record: JobRecord, keys: [ByteString], points: Int) throws -> Response {
    let (store, id) = (store, record.id)
    let names = keys.map(\.string)
    return try computed(.series(id, keys: names, points: points), stamp: "\(record.revision)") {
      let curves = try store.series(id, keys: names, points: points).mapValues { curve in
        JSON.array(curve.map { [.integer($0.step), .number($0.value)] })
      }
      return .json(["job": .string(id.text), "series": .object(curves)])
    }
  }

  private static func isKey(_ text: ByteString) -> Bool {
    (1...64).contains(text.count)
      && text.bytes.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || $0 == UInt8(ascii: "_")
      }
  }
}
