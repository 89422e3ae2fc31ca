import HTTP
import JobModel
import JobStore
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

  /// The body as JSON.
  ///
  /// Also under the content type that `curl -d` sets by itself, `application/x-www-form-urlencoded`, and
  /// under none.
  /// - Throws: 415 for other types, 400 with line and column for what is no JSON.
  func json() throws -> JSON {
    let type = headers["Content-Type"]?.divided(at: 0x3B).before.trimmed.lowercasedASCII ?? ""
    let accepted: [ByteString] = [
      "", "application/json", "application/x-www-form-urlencoded", "text/plain", "text/json",
    ]
    guard accepted.contains(type) || type.hasSuffix("+json") else {
      throw Problem(status: 415, detail: "The body must be application/json, got \(type.shown).")
    }
    return try JSON.parse(body)
  }
}

/// Reads the parameters of a query and notes what is wrong with them, all at once.
struct QueryReader {
  private let request: Request
  private var known: [ByteString] = []
  private var problems: [String] = []
  private var problemCount = 0

  init(_ request: Request) { self.request = request }

  /// Every value of a parameter, in order.
  mutating func values(_ name: ByteString) -> [ByteString] {
    known.append(name)
    return request.query.filter { $0.name == name }.map(\.value)
  }

  /// The value of a parameter that may be given once.
  mutating func value(_ name: ByteString) -> ByteString? {
    let values = values(name)
    if values.count > 1 { refuse(name, "may be given only once, got it \(values.count) times") }
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

  /// `true` or `false`; false if it is missing.
  mutating func flag(_ name: ByteString) -> Bool {
    guard let text = value(name) else { return false }
    if text != "true" && text != "false" { refuse(name, "must be true or false, got \"\(text.shown)\"") }
    return text == "true"
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
    let texts = values(name).flatMap { $0.split(0x2C, omittingEmptySubsequences: false) }
    let given: [Choice] = choices(name, texts)
    return given.filter { seen.insert($0).inserted }
  }

  private mutating func choices<Choice: RawRepresentable<String> & CaseIterable>(
    _ name: ByteString, _ texts: [ByteString]
  ) -> [Choice] {
    let choices = texts.map { Choice(bytes: $0) }
    if let wrong = choices.firstIndex(where: { $0 == nil }) {
      let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      let others = choices.count { $0 == nil } - 1
      let more = others > 0 ? " and \(others) more that are not" : ""
      refuse(name, "must be one of \(allowed), got \"\(texts[wrong].shown)\"\(more)")
    }
    return choices.compactMap(\.self)
  }

  /// Notes a problem with a parameter. Only the first `ProblemList.problemsMax` are kept.
  mutating func refuse(_ name: ByteString, _ message: @autoclosure () -> String) {
    problemCount += 1
    guard problems.count < ProblemList.problemsMax else { return }
    problems.append("the query parameter \"\(name.shown)\" \(message())")
  }

  /// - Throws: 400 with what was noted, and parameters that nothing has asked for.
  mutating func finish() throws(Problem) {
    let words = known
    var unknown: Set<ByteString> = []
    for (name, _) in request.query where !words.contains(name) && unknown.insert(name).inserted {
      refuse(
        name, "is unknown" + (nearestWord(to: name, in: words).map { "; did you mean \"\($0)\"?" } ?? ""))
    }
    guard problemCount > 0 else { return }
    if problemCount > problems.count {
      problems.append("\(problemCount - problems.count) more are not listed")
    }
    if !unknown.isEmpty {
      let list = words.isEmpty ? "no parameters" : words.sorted().joined(separator: ", ").string
      problems.append("known here: \(list)")
    }
    throw Problem(status: 400, detail: problems.joined(separator: "; "))
  }
}
