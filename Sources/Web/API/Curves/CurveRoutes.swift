import HTTP
import JobModel
import JobStore
import Recipe
import Synchronization
import Text

// `GET /curves`: the curves of many jobs in one answer, for overviews and comparisons.

extension API {
  /// Jobs in one answer.
  static let curveJobsMax = 200
  /// Buckets of a curve where the request does not say: enough for a sparkline.
  static let curvePointsDefault = 24
  /// Buckets that a curve may have.
  static let curvePointsRange = 2...10_000
  /// Buckets of all curves in one answer.
  static let curveBucketsMax = 400_000

  /// `GET /curves`
  @Sendable
  func getCurves(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let names = (query.value("jobs") ?? "").split(0x2C)
    let curves = CurveQuery(&query, pointsRange: Self.curvePointsRange)
    let jobs = Self.jobs(names, &query)
    let points = curves.points ?? Self.curvePointsDefault
    if names.isEmpty || names.count > Self.curveJobsMax {
      query.refuse("jobs", "must be 1 to \(Self.curveJobsMax) ids of jobs, got \(names.count)")
    } else if names.count * (curves.keys?.count ?? 1) * points > Self.curveBucketsMax {
      query.refuse(
        "points",
        "must be smaller: the number of jobs, metrics and points multiplied may be at most "
          + "\(Self.curveBucketsMax)")
    }
    try query.finish()
    let revisions = try store.revisions(of: jobs)
    let missing = jobs.filter { revisions[$0] == nil }
    if !missing.isEmpty { throw Self.unknownJobs(missing) }
    let stamp = jobs.map { "\(revisions[$0] ?? 0)" }.joined(separator: " ")
    let (store, kept) = (store, curveTexts)
    return try computed(.curves(jobs, curves), stamp: stamp) {
      try Self.curves(jobs, revisions, curves, points: points, store, kept)
    }
  }

  /// The jobs of that ids, each once.
  private static func jobs(_ names: [ByteString], _ query: inout QueryReader) -> [JobID] {
    var jobs: [JobID] = []
    var seen: Set<JobID> = []
    for name in names {
      guard let id = JobID(name) else {
        query.refuse("jobs", "must be ids of jobs, separated by commas, got \"\(name.shown)\"")
        break
      }
      if seen.insert(id).inserted { jobs.append(id) }
    }
    return jobs
  }

  private static func curves(
    _ jobs: [JobID], _ revisions: [JobID: Int], _ query: CurveQuery, points: Int, _ store: JobStore,
    _ kept: CurveTexts
  ) throws -> Response {
    let keys = Set(query.keys ?? ["loss"]).sorted().map(\.string)
    var found: Set<ByteString> = []
    var texts: [String] = []
    for job in jobs {
      let place = CurveTexts.Place(job: job, query: query)
      let revision = revisions[job] ?? 0
      if let known = kept.entry(place, revision: revision) {
        found.formUnion(known.keys)
        texts.append(known.text)
        continue
      }
      try store.packMetrics(job)
      let series = try store.series(
        job, keys: keys, points: points, steps: query.steps, hasPlaces: !query.axes.isEmpty)
      let entry = CurveTexts.Entry(
        revision: revision, keys: series.curves.filter { !$0.value.isEmpty }.map { ByteString($0.key) },
        text: series.jsonText(job, keys, axes: query.axes, isSparse: true))
      kept.keep(entry, place)
      found.formUnion(entry.keys)
      texts.append(entry.text)
    }
    let missing = Set(query.keys ?? []).filter { !found.contains($0) }
    let unknown = try Self.unknown(missing.sorted(), of: jobs, store)
    if let unknown { throw unknown }
    return Response.json(text: "{\"curves\":[\(texts.joined(separator: ","))]}").tagged
  }

  /// Metrics of which none of the jobs has a line, and that none of them is going to have.
  private static func unknown(
    _ keys: [ByteString], of jobs: [JobID], _ store: JobStore
  ) throws -> Problem? {
    if keys.isEmpty { return nil }
    var (left, known) = (keys, Set<ByteString>())
    for job in jobs {
      // A job that was deleted meanwhile has no metrics.
      guard let record = try store.job(job) else { continue }
      known.formUnion((record.metricNames + (try store.metricKeys(job))).map { ByteString($0) })
      left.removeAll(where: known.contains)
      if left.isEmpty { return nil }
    }
    return Self.unknownKeys(left, known: known.sorted(), of: "these jobs")
  }

  private static func unknownJobs(_ jobs: [JobID]) -> Problem {
    Problem(
      status: 422, title: "The input is not valid",
      detail: "The query parameter \"jobs\" must name jobs that exist.",
      errors: jobs.map { ("/jobs", "must be the id of a job, got \"\($0)\"") })
  }
}

/// Curves of single jobs as JSON, kept until their job changes: of many runs that are looked at again and
/// again, few go on.
final class CurveTexts: Sendable {
  /// What is kept of one job.
  struct Entry: Sendable {
    let revision: Int
    /// The metrics that have a line.
    let keys: [ByteString]
    let text: String
  }

  /// Which curves of which job.
  struct Place: Hashable, Sendable {
    let job: JobID
    let query: CurveQuery
  }

  private let state = Mutex((entries: [Place: Entry](), bytes: 0))

  /// What all may have together; beyond that all are forgotten.
  private static let bytesMax = 16 << 20

  /// The curves, if the job is still of this revision.
  func entry(_ place: Place, revision: Int) -> Entry? {
    state.withLock { state in
      state.entries[place].flatMap { $0.revision == revision ? $0 : nil }
    }
  }

  /// Keeps curves.
  func keep(_ entry: Entry, _ place: Place) {
    state.withLock { state in
      state.bytes += entry.text.utf8.count - (state.entries[place]?.text.utf8.count ?? 0)
      if state.bytes > Self.bytesMax { state = ([:], entry.text.utf8.count) }
      state.entries[place] = entry
    }
  }
}
