import HTTP
import JSONText
import JobStore
import Recipe
import Sweeps
import Text

// Lists of sweeps and of their trials.

extension API {
  /// `GET /sweeps`: filtered, sorted, page by page.
  @Sendable
  func listSweeps(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    var filter = SweepFilter()
    filter.states = query.choices("state")
    filter.labels = query.labels("label")
    filter.words = query.words("q")
    let order = query.sweepOrder("sort")
    let fields = query.names("fields", among: Self.sweepMembers)
    let limit = query.integer("limit", 1...Self.listLimitMax) ?? Self.listLimitDefault
    let cursor = query.integer("cursor", 1...Int.max)
    try query.finish()
    let page = try store.sweeps(filter, order, after: cursor, limit: limit)
    let sweeps = try page.sweeps.map { record -> JSON in
      let members = try sweepFindings.finding(of: record, in: store).members(record)
      return .object(fields.map { fields in members.filter { fields.contains($0.key) } } ?? members)
    }
    let next = page.next.map { "\($0)" }
    var response = Response.json([
      "sweeps": .array(sweeps), "next_cursor": .optional(next), "total": .integer(page.total),
    ])
    if let next { response.headers.add("Link", Self.link(toSweepsAfter: next, of: request)) }
    return response.tagged
  }

  private static func link(toSweepsAfter cursor: String, of request: Request) -> String {
    let rest = request.query.filter { $0.name != "cursor" }.map {
      "\(percentEncoded($0.name))=\(percentEncoded($0.value))&"
    }
    return "</sweeps?\(rest.joined())cursor=\(cursor)>; rel=\"next\""
  }

  /// How trials are sorted.
  enum TrialSorting: String, Sendable, CaseIterable {
    /// As they were asked for.
    case number
    /// The best first; those that have shown nothing come last.
    case rank
  }

  /// `GET /sweeps/{id}/trials`
  @Sendable
  func listTrials(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let states: [TrialView.State] = query.choices("state")
    let order: TrialSorting = query.choice("sort") ?? .number
    let limit = query.integer("limit", 1...SweepSpecification.maxTrialsRange.upperBound)
    let cursor = query.integer("cursor", 1...SweepSpecification.maxTrialsRange.upperBound) ?? 0
    try query.finish()
    let standing = try standing(request)
    var views = standing.views
    if order == .rank { views = ranked(views, standing) }
    if !states.isEmpty { views = views.filter { states.contains($0.state) } }
    let page = views.dropFirst(cursor).prefix(limit ?? views.count)
    let end = cursor + page.count
    return Response.json([
      "trials": .array(page.map(\.json)), "total": .integer(views.count),
      "next_cursor": .optional(end < views.count ? "\(end)" : nil),
    ]).tagged
  }

  private func ranked(_ views: [TrialView], _ standing: SweepStanding) -> [TrialView] {
    // A specification that this program cannot read leaves the order of the numbers.
    guard let (_, plan) = try? standing.record.specification() else { return views }
    let ranking = SweepState.ranking(standing.trials.map(\.trial), mode: plan.mode).map(\.number)
    let places = Dictionary(ranking.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { $1 })
    return views.sorted {
      (places[$0.record.number] ?? .max, $0.record.number) < (
        places[$1.record.number] ?? .max, $1.record.number
      )
    }
  }

  /// `GET /sweeps/{id}/trials.csv` (RFC 4180): a line per trial, a column per parameter.
  @Sendable
  func trialTable(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let standing = try standing(request)
    let parameters = try standing.record.specification().plan.space.parameters.map(\.pointer).sorted()
    let lines = [TrialView.columns + parameters] + standing.views.map { $0.row(parameters: parameters) }
    let text = lines.map { $0.map(Self.cell).joined(separator: ",") + "\r\n" }.joined()
    var response = Response(contentType: "text/csv; charset=utf-8; header=present", bytes: Array(text.utf8))
    response.headers.add("Cache-Control", "no-cache")
    return response.tagged
  }

  /// A cell in quotes where it needs them.
  private static func cell(_ text: ByteString) -> String {
    let special = Set("\",\r\n".utf8)
    if text.allSatisfy({ !special.contains($0) }) { return text.string }
    return "\"\(text.split(0x22, omittingEmptySubsequences: false).map(\.string).joined(separator: "\"\""))\""
  }

  private func standing(_ request: Request) throws -> SweepStanding {
    let id = try request.sweepID()
    guard let standing = try store.standing(ofSweep: id) else { throw JobStoreError.noSuchSweep(id) }
    return standing
  }
}

extension QueryReader {
  /// A field of sweeps to sort by, after `-` in descending order; the newest first if it is missing.
  fileprivate mutating func sweepOrder(_ name: ByteString) -> SweepOrder {
    guard let text = value(name) else { return SweepOrder() }
    let isDescending = text.hasPrefix("-")
    let word = isDescending ? text.dropFirst(1) : text
    if let field = SweepOrder.Field(bytes: word) { return SweepOrder(field, isDescending: isDescending) }
    let known = SweepOrder.Field.allCases.map(\.rawValue)
    refuse(
      name,
      "must be one of \(known.joined(separator: ", ")), with - before it for descending order, "
        + "\(Self.phrase(text, among: known.map { ByteString($0) }))")
    return SweepOrder()
  }
}
