/// An error answer as `application/problem+json` (RFC 9457). A handler may throw it or answer with it.
package struct Problem: Error, Sendable {
  /// A URI reference that names the kind of problem; `about:blank` where the status says it all.
  package var type: String
  /// The kind of problem in a few words, the same for every occurrence.
  package var title: String
  package var status: Int
  /// What went wrong this time, and what to do about it.
  package var detail: String
  /// The wrong parts of the input, all at once; a pointer is a JSON Pointer (RFC 6901).
  package var errors: [(pointer: String, message: String)]
  /// Further header fields, such as `Allow` or `Retry-After`.
  package var headers = Headers()

  /// `title` is the status's reason phrase where none is given.
  package init(
    status: Int, title: String? = nil, detail: String = "", type: String = "about:blank",
    errors: [(pointer: String, message: String)] = []
  ) {
    self.type = type
    self.title = title ?? reasonPhrase(of: status)
    self.status = status
    self.detail = detail
    self.errors = errors
  }

  /// 405 with the methods that are possible (RFC 9110, section 15.5.6).
  package static func methodNotAllowed(_ method: Method, allow: String) -> Problem {
    var problem = Problem(
      status: 405, detail: "\(method.rawValue) is not possible here; possible are \(allow).")
    problem.headers.add("Allow", allow)
    return problem
  }

  /// 503 with the seconds after which the client may try again.
  package static func unavailable(_ detail: String, retryAfterSeconds: Int = 1) -> Problem {
    var problem = Problem(status: 503, detail: detail)
    problem.headers.add("Retry-After", String(retryAfterSeconds))
    return problem
  }

  /// The members in the order of RFC 9457; empty ones are left out.
  package var jsonText: String {
    var members = [
      "\"type\":\(jsonLiteral(type))", "\"title\":\(jsonLiteral(title))", "\"status\":\(status)",
    ]
    if !detail.isEmpty { members.append("\"detail\":\(jsonLiteral(detail))") }
    if !errors.isEmpty {
      let list = errors.map {
        "{\"pointer\":\(jsonLiteral($0.pointer)),\"message\":\(jsonLiteral($0.message))}"
      }
      members.append("\"errors\":[\(list.joined(separator: ","))]")
    }
    return "{\(members.joined(separator: ","))}\n"
  }

  /// The answer that carries this problem.
  package var response: Response {
    var response = Response(
      status: status, contentType: "application/problem+json", bytes: Array(jsonText.utf8))
    for field in headers.fields { response.headers.add(field.name, field.value) }
    // A cache must not give one client's error to another, or to the same client later.
    if response.headers["Cache-Control"] == nil { response.headers.add("Cache-Control", "no-store") }
    return response
  }
}
