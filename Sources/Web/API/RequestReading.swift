import HTTP
import JSONText
import JobStore
import Recipe
import Text

extension Request {
  /// The job that `{id}` in the path names.
  ///
  /// - Throws: 404 for what is no id.
  func jobID() throws(Problem) -> JobID {
    let text = parameters["id"] ?? ""
    guard let id = JobID(text) else { throw Problem(status: 404, detail: "there is no job \(text.shown).") }
    return id
  }

  /// The sweep that `{id}` in the path names.
  ///
  /// - Throws: 404 for what is no id.
  func sweepID() throws(Problem) -> JobID {
    let text = parameters["id"] ?? ""
    guard let id = JobID(text) else {
      throw Problem(status: 404, detail: "there is no sweep \(text.shown).")
    }
    return id
  }

  /// - Throws: 412 if the sweep is not the one that the request's conditions name.
  func checkPreconditions(_ record: SweepRecord) throws {
    if let problem = preconditionProblem(tag: record.entityTag) { throw problem }
  }

  /// - Throws: 412 if the job is not the one that the request's conditions name.
  func checkPreconditions(_ record: JobRecord) throws {
    if let problem = preconditionProblem(tag: record.entityTag) { throw problem }
  }

  /// The body as JSON.
  ///
  /// Also under the content type that `curl -d` sets by itself, `application/x-www-form-urlencoded`, and
  /// under none.
  /// - Throws: 415 for other types, 400 with line and column for what is not valid JSON.
  func json(_ limits: JSONLimits) throws -> JSON {
    let type = headers["Content-Type"]?.divided(at: 0x3B).before.trimmed.lowercasedASCII ?? ""
    let accepted: [ByteString] = [
      "", "application/json", "application/x-www-form-urlencoded", "text/plain", "text/json",
    ]
    // A JSON Patch (RFC 6902) is JSON too, but says something else than a merge patch.
    guard accepted.contains(type) || type.hasSuffix("+json") && type != "application/json-patch+json" else {
      let types = method == .patch ? Request.patchTypes : ["application/json"]
      var problem = Problem(
        status: 415,
        detail: "The body must be \(types.joined(separator: " or ")), got \"\(type.shown)\".")
      problem.headers.add(method == .patch ? "Accept-Patch" : "Accept", types.joined(separator: ", "))
      throw problem
    }
    return try JSON.parse(body, limits: limits)
  }

  /// The media types of a change: a merge patch (RFC 7396), under either name.
  static let patchTypes = ["application/merge-patch+json", "application/json"]
}

/// Reads the parameters of a query and notes what is wrong with them, all at once.
struct QueryReader {
  private let request: Request
  private var known: [ByteString] = []
  private let problems = ProblemList()

  init(_ request: Request) { self.request = request }

  /// Every value of a parameter, in order.
  mutating func values(_ name: ByteString) -> [ByteString] {
    known.append(name)
    return request.query.filter { $0.name == name }.map(\.value)
  }

  /// The value of a parameter that may be given once.
  mutating func value(_ name: ByteString) -> ByteString? {
    let values = values(name)
    if values.count > 1 { refuse(name, "may be given only once, got \(values.count)") }
    return values.first
  }

  /// A whole number.
  mutating func integer(_ name: ByteString, _ range: ClosedRange<Int>) -> Int? {
    guard let text = value(name) else { return nil }
    if let number = text.integer, range.contains(number) { return number }
    refuse(
      name,
      "must be a whole number from \(range.lowerBound) to \(range.upperBound), got \"\(text.shown)\"")
    return nil
  }

  /// What a flag may be.
  static let flagValues: [(text: ByteString, isSet: Bool)] = [
    ("true", true), ("false", false), ("1", true), ("0", false),
  ]

  /// `true` or `1`, `false` or `0`; false if it is missing.
  mutating func flag(_ name: ByteString) -> Bool {
    guard let text = value(name) else { return false }
    if let flag = Self.flagValues.first(where: { $0.text == text }) { return flag.isSet }
    let allowed = Self.flagValues.map(\.text).joined(separator: ", ")
    refuse(name, "must be one of \(allowed), got \"\(text.shown)\"")
    return false
  }

  /// One of the raw values of an enumeration.
  mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: ByteString) -> Choice? {
    guard let text = value(name) else { return nil }
    let given: [Choice] = choices(name, [text])
    return given.first
  }

  /// Raw values of an enumeration, separated by commas; the parameter may be given several times. Each is
  /// given once, in the order of the first mention.
  mutating func choices<Choice: RawRepresentable<String> & CaseIterable & Hashable>(
    _ name: ByteString
  ) -> [Choice] {
    var seen: Set<Choice> = []
    let given: [Choice] = choices(name, members(name))
    return given.filter { seen.insert($0).inserted }
  }

  private mutating func choices<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: ByteString, _ texts: [ByteString]
  ) -> [Choice] {
    refuse(name, texts, notAmong: Choice.allCases.map { ByteString($0.rawValue) })
    return texts.compactMap { Choice(bytes: $0) }
  }

  /// Some of the names that are known, separated by commas; the parameter may be given several times. `nil`
  /// if it is missing.
  mutating func names(_ name: ByteString, among names: [ByteString]) -> Set<ByteString>? {
    let texts = members(name)
    if texts.isEmpty { return nil }
    refuse(name, texts, notAmong: names)
    return Set(texts)
  }

  private mutating func members(_ name: ByteString) -> [ByteString] {
    values(name).flatMap { $0.split(0x2C, omittingEmptySubsequences: false) }
  }

  private func refuse(_ name: ByteString, _ texts: [ByteString], notAmong known: [ByteString]) {
    let wrong = texts.filter { !known.contains($0) }
    guard let first = wrong.first else { return }
    let more = wrong.count > 1 ? " and \(wrong.count - 1) more that are not" : ""
    let list = known.joined(separator: ", ")
    refuse(name, "must be one of \(list), \(Self.phrase(first, among: known))\(more)")
  }

  /// What was given, with the word that may have been meant.
  static func phrase(_ text: ByteString, among words: [ByteString]) -> String {
    let near = nearestWord(to: text, in: words).map { " (did you mean \"\($0)\"?)" } ?? ""
    return "got \"\(text.shown)\"\(near)"
  }

  /// Notes a problem with a parameter.
  func refuse(_ name: ByteString, _ message: @autoclosure () -> String) {
    problems.add(ObjectReader.pointer(to: name, in: ""), message())
  }

  /// - Throws: 422 with what was noted, and parameters that nothing has asked for.
  mutating func finish() throws(Problem) {
    let words = known
    let unknown = request.query.map(\.name).filter { !words.contains($0) }
    for (index, name) in unknown.enumerated() {
      let near = nearestWord(to: name, in: words).map { "; did you mean \"\($0)\"?" } ?? ""
      let list = words.isEmpty ? "no parameters" : words.sorted().joined(separator: ", ").string
      refuse(
        name, "is unknown\(near)\(index > 0 ? "" : "\(near.isEmpty ? "; known" : " Known") here: \(list)")")
    }
    guard let first = problems.problems.first else { return }
    let text = "The query parameter \"\(first.pointer.dropFirst())\" \(first.message)"
    throw Problem(
      status: 422, title: "The input is not valid",
      detail: problems.total == 1 ? "\(text)." : "\(problems.total) errors; the first: \(text).",
      errors: problems.problems)
  }
}
