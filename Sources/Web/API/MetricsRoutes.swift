import HTTP
import JobModel
import JobStore
import Recipe
import Text

extension API {
  /// Points of a curve where only its keys are given.
  static let seriesPointsDefault = 500
  /// Points that a curve may have.
  static let seriesPointsRange = 4...100_000
  /// Curves in one answer.
  static let seriesKeysMax = 32

  /// `GET /jobs/{id}/metrics`: the recorded lines, or with `points` or `keys`, or as CSV, curves: for each
  /// metric `[step, mean, min, max]` of equal buckets of steps.
  @Sendable
  func getMetrics(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let fromStep = query.integer("from_step", 0...Int.max)
    let follow = query.flag("follow")
    let curves = CurveQuery(&query)
    let isCSV = request.prefersCSV
    if (curves.first != nil || isCSV) && (follow || fromStep != nil) {
      query.refuse(
        curves.first ?? "follow",
        "cannot be combined: curves (\"points\", \"keys\", \"from\", \"to\", \"x\" or text/csv) have no "
          + "\"follow\" or \"from_step\"")
    }
    if isCSV && !curves.axes.isEmpty {
      query.refuse("x", "cannot be combined with text/csv, which has steps alone")
    }
    try query.finish()
    let record = try record(request)
    if curves.first != nil || isCSV { return try self.curves(record, curves, isCSV: isCSV) }
    let stream = EventStream(
      .job(record.id), .lines(fromStep: fromStep ?? 0), after: 0, follows: follow, seconds: streamSeconds,
      hub: events, store: store)
    var response = Response(body: .stream(stream))
    response.headers.add("Content-Type", "application/x-ndjson")
    response.headers.add("Cache-Control", "no-cache")
    response.headers.add("X-Accel-Buffering", "no")
    return response
  }

  private func curves(_ record: JobRecord, _ query: CurveQuery, isCSV: Bool) throws -> Response {
    let (store, id) = (store, record.id)
    let answer = ComputedAnswer.series(id, query, isCSV: isCSV)
    return try computed(answer, stamp: "\(record.revision)") {
      try store.packMetrics(id)
      let recorded = try store.metricKeys(id)
      let known = (recorded.isEmpty ? record.metricNames : recorded).map { ByteString($0) }
      let unknown = (query.keys ?? []).filter { !known.contains($0) }
      if !unknown.isEmpty { throw Self.unknownKeys(unknown, known: known) }
      // A table has everything, as fine as it may be, unless it is asked for less.
      let standard =
        isCSV
        ? Array(known.prefix(Self.seriesKeysMax))
        : record.chartNames.map { ByteString($0) }.filter(known.contains)
      let pointsStandard = isCSV ? Self.seriesPointsRange.upperBound : Self.seriesPointsDefault
      var distinct: [ByteString] = []
      for key in query.keys ?? standard where !distinct.contains(key) { distinct.append(key) }
      let names = distinct.map(\.string)
      let series = try store.series(
        id, keys: names, points: query.points ?? pointsStandard, steps: query.steps,
        hasPlaces: !query.axes.isEmpty)
      let json = isCSV ? "" : series.jsonText(id, names, axes: query.axes)
      var response = (isCSV ? series.csv(names) : Response.json(text: json)).tagged
      response.headers.add("Vary", "Accept")
      return response
    }
  }

  /// What a request is answered that names metrics which its jobs do not have.
  static func unknownKeys(
    _ unknown: [ByteString], known: [ByteString], of jobs: String = "this job"
  ) -> Problem {
    let list = known.joined(separator: ", ").string
    return Problem(
      status: 422, title: "The input is not valid",
      detail: "The query parameter \"keys\" must name metrics of \(jobs): \(list).",
      errors: unknown.map { key in
        let near = nearestWord(to: key, in: known).map { "; did you mean \"\($0)\"?" } ?? ""
        return ("/keys", "must be a metric of \(jobs), got \"\(key.shown)\"\(near)")
      })
  }
}

extension JobRecord {
  /// The training that the job is, as far as this version can read it.
  private var training: TrainSpecification? {
    // Where it cannot be read, what any job of the kind may have is known.
    (try? specification())?.train
  }

  /// The metrics that the job's lines will have.
  var metricNames: [String] { training?.metricNames ?? kind.traits.metricNames }

  /// The curves that a chart gets if it does not name any: the loss and the parts of the job's method.
  fileprivate var chartNames: [String] { ["loss"] + (training?.loss.method.figures.map(\.name) ?? []) }
}
