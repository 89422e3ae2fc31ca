import HTTP
import JobModel
import JobStore

extension Request {
  /// The job that `{id}` in the path names.
  ///
  /// - Throws: 404 for what is no id.
  func jobID() throws(Problem) -> JobID {
    let text = parameters["id"] ?? ""
    guard let id = JobID(text) else { throw Problem(status: 404, detail: "there is no job \(text).") }
    return id
  }

  /// The body as JSON.
  ///
  /// Also under the content type that `curl -d` sets by itself, `application/x-www-form-urlencoded`, and
  /// under none.
  /// - Throws: 415 for other types, 400 with line and column for what is no JSON.
  func json() throws -> JSON {
    let type = (headers["Content-Type"] ?? "").split(separator: ";").first.map { $0.lowercased() } ?? ""
    let accepted = ["", "application/json", "application/x-www-form-urlencoded", "text/plain", "text/json"]
    let name = String(type.filter { $0 != " " && $0 != "\t" })
    guard accepted.contains(name) || name.hasSuffix("+json") else {
      throw Problem(status: 415, detail: "The body must be application/json, is \(name).")
    }
    return try JSON.parse(body)
  }
}

/// Reads the parameters of a query and notes what is wrong with them, all at once.
struct QueryReader {
  private let request: Request
  private var known: [String] = []
  private var problems: [String] = []

  init(_ request: Request) { self.request = request }

  /// Every value of a parameter, in order.
  mutating func values(_ name: String) -> [String] {
    known.append(name)
    return request.query.filter { $0.name == name }.map(\.value)
  }

  /// The value of a parameter that may stand once.
  mutating func value(_ name: String) -> String? {
    let values = values(name)
    if values.count > 1 { refuse(name, "must stand once, stands \(values.count) times") }
    return values.first
  }

  /// A whole number.
  mutating func integer(_ name: String, _ range: ClosedRange<Int>) -> Int? {
    guard let text = value(name) else { return nil }
    if let number = Int(text), range.contains(number) { return number }
    refuse(
      name,
      "must be a whole number from \(range.lowerBound) to \(range.upperBound), is \"\(text.prefix(80))\"")
    return nil
  }

  /// `true` or `false`; false if it is missing.
  mutating func flag(_ name: String) -> Bool {
    guard let text = value(name) else { return false }
    if text != "true" && text != "false" { refuse(name, "must be true or false, is \"\(text.prefix(80))\"") }
    return text == "true"
  }

  /// One of the raw values of an enumeration.
  mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ name: String, _ text: String)
    -> Choice?
  {
    if let choice = Choice(rawValue: text) { return choice }
    let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    refuse(name, "must be one of \(allowed), is \"\(text.prefix(80))\"")
    return nil
  }

  /// Notes a problem with a parameter.
  mutating func refuse(_ name: String, _ message: String) {
    problems.append("the query parameter \"\(name)\" \(message)")
  }

  /// - Throws: 400 with everything that was noted, and parameters that nobody asked for.
  mutating func finish() throws(Problem) {
    for (name, _) in request.query where !known.contains(name) {
      let hint =
        nearestWord(to: name, in: known).map { "; did you mean \"\($0)\"?" } ?? "; there are none here"
      refuse(name, "is unknown\(hint)")
    }
    if !problems.isEmpty { throw Problem(status: 400, detail: problems.joined(separator: "; ")) }
  }
}
