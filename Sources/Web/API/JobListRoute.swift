import HTTP
import JobModel
import JobStore
import Recipe
import Text

// `GET /jobs`: filtered, sorted, page by page.

extension API {
  /// Jobs in one list, where the request does not say.
  static let listLimitDefault = 50
  /// Jobs in one list at most.
  static let listLimitMax = 500
  /// Labels that one list may ask for.
  static let listLabelsMax = JobLabelling.labelsMax
  /// Datasets that one list may ask for.
  static let listNamesMax = 32
  /// Words that one list may be searched for.
  static let listWordsMax = 16

  /// `GET /jobs`
  @Sendable
  func listJobs(_ request: Request) throws -> Response {
    let commits = store.commitCount
    let moment = JobMoment(store)
    if let known = jobLists.response(to: request, asOf: commits, at: moment.milliseconds) { return known }
    var query = QueryReader(request)
    let filter = Self.filter(&query)
    let order = query.order("sort")
    let fields = query.names("fields", among: JobRecord.memberNames)
    let limit = query.integer("limit", 1...Self.listLimitMax) ?? Self.listLimitDefault
    let cursor = query.cursor("cursor", order)
    try query.finish()
    let page = try store.page(filter, order, after: cursor, limit: limit)
    let next = page.next.map { "\"\($0.text)\"" } ?? "null"
    let rest = "],\"next_cursor\":\(next),\"total\":\(page.total)}"
    let jobs =
      fields.map { Self.elements(page.jobs, fields: $0, at: moment) }
      ?? elements(page.jobs, asOf: commits, at: moment)
    var response = Response.json(bytes: Array("{\"jobs\":[".utf8) + jobs + rest.utf8)
    if let next = page.next { response.headers.add("Link", Self.link(to: next, of: request)) }
    return jobLists.keep(
      response.tagged, to: request, life: AnswerLife(of: page.jobs, madeAt: moment.milliseconds),
      asOf: commits, at: moment.milliseconds)
  }

  private static func filter(_ query: inout QueryReader) -> JobFilter {
    var filter = JobFilter()
    filter.states = query.choices("state")
    filter.health = query.choices("health")
    filter.kind = query.choice("kind")
    filter.sweep = query.value("sweep")
    if let sweep = filter.sweep, JobID(sweep) == nil {
      query.refuse("sweep", "must be the id of a sweep, got \"\(sweep.shown)\"")
    }
    filter.datasets = query.texts("dataset")
    let methods: [MethodName] = query.choices("method")
    filter.methods = methods.map { ByteString($0.rawValue) }
    filter.labels = query.labels("label")
    filter.words = query.words("q")
    return filter
  }

  /// The target of the next page, with everything else that was asked for.
  private static func link(to cursor: JobCursor, of request: Request) -> String {
    let rest = request.query.filter { $0.name != "cursor" }.map {
      "\(percentEncoded($0.name))=\(percentEncoded($0.value))&"
    }
    return "</jobs?\(rest.joined())cursor=\(cursor.text)>; rel=\"next\""
  }

  /// `GET /jobs` where nothing has been written to the store since the same list was read.
  @Sendable
  func jobListInMemory(_ request: Request) -> InstantResponse? {
    let (commits, now) = (store.commitCount, store.clock())
    guard let response = jobLists.response(to: request, asOf: commits, at: now) else { return nil }
    return instantResponse(response, asOf: commits, at: now)
  }

  /// The newest jobs are few and known by their cache; any other list may be a search through all of them.
  @Sendable
  func jobListWeight(_ request: Request) -> RouteWeight {
    request.query.isEmpty
      || jobLists.response(to: request, asOf: store.commitCount, at: store.clock()) != nil ? .light : .heavy
  }

  /// Jobs as the elements of a JSON array.
  private func elements(_ records: [JobRecord], asOf commits: Int, at moment: JobMoment) -> [UInt8] {
    var bytes: [UInt8] = []
    for record in records {
      if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
      // Without the newline at its end; `dropLast()` would be that of any sequence, byte by byte.
      if case .bytes(let job) = response(record, asOf: commits, at: moment).body {
        bytes += job[..<(job.count - 1)]
      }
    }
    return bytes
  }

  /// Some members of jobs as the elements of a JSON array.
  private static func elements(
    _ records: [JobRecord], fields: Set<ByteString>, at moment: JobMoment
  ) -> [UInt8] {
    Array(records.map { $0.jsonText(of: fields, at: moment) }.joined(separator: ",").utf8)
  }
}

extension QueryReader {
  /// Labels that members of a list must have: `KEY` or `KEY=VALUE`.
  mutating func labels(_ name: ByteString) -> [(key: ByteString, value: ByteString?)] {
    let labels = values(name)
    let most = API.listLabelsMax
    if labels.count > most || labels.contains(where: { $0.divided(at: 0x3D).before.isEmpty }) {
      refuse(name, "must be KEY or KEY=VALUE, and may be given at most \(most) times")
    }
    return labels.map { text in
      let (key, value) = text.divided(at: 0x3D)
      return (key: key, value: value)
    }
  }

  /// Texts without a comma, separated by commas; the parameter may be given several times.
  fileprivate mutating func texts(_ name: ByteString) -> [ByteString] {
    let texts = values(name).flatMap { $0.split(0x2C, omittingEmptySubsequences: false) }
    if texts.count > API.listNamesMax || texts.contains(where: \.isEmpty) {
      refuse(name, "must be 1 to \(API.listNamesMax) names, separated by commas")
    }
    return texts
  }

  /// Words that must all occur.
  mutating func words(_ name: ByteString) -> [ByteString] {
    let words = (value(name) ?? "").split(0x20)
    if words.count > API.listWordsMax {
      refuse(name, "must have at most \(API.listWordsMax) words, got \(words.count)")
    }
    return words
  }

  /// A field of jobs to sort by, after `-` in descending order; the newest first if it is missing.
  fileprivate mutating func order(_ name: ByteString) -> JobOrder {
    guard let text = value(name) else { return JobOrder() }
    let isDescending = text.hasPrefix("-")
    let word = isDescending ? text.dropFirst(1) : text
    if let field = JobOrder.Field(bytes: word) { return JobOrder(field, isDescending: isDescending) }
    let known = JobOrder.Field.allCases.map(\.rawValue)
    refuse(
      name,
      "must be one of \(known.joined(separator: ", ")), with - before it for descending order, "
        + "\(Self.phrase(text, among: known.map { ByteString($0) }))")
    return JobOrder()
  }

  /// Where a page begins.
  fileprivate mutating func cursor(_ name: ByteString, _ order: JobOrder) -> JobCursor? {
    guard let text = value(name) else { return nil }
    if let cursor = JobCursor(text, order) { return cursor }
    refuse(name, "must be the next_cursor of a list with the same sort, got \"\(text.shown)\"")
    return nil
  }
}

/// A text as part of a query: all but unreserved characters as `%XX` (RFC 3986, section 2.3).
func percentEncoded(_ text: ByteString) -> String {
  let hexDigits = Array("0123456789ABCDEF".utf8)
  let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
  var bytes: [UInt8] = []
  for byte in text.bytes {
    if unreserved.contains(byte) {
      bytes.append(byte)
    } else {
      bytes += [UInt8(ascii: "%"), hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
