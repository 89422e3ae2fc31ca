import Text

// What the head of a request says of its content.

extension Request {
  /// 415 for content in a coding other than `identity`, which is the only one that is read (RFC 9110, section
  /// 15.5.16); nil for a safe method, whose content nobody reads, and where there is no content.
  package var contentCodingProblem: Problem? {
    guard !method.isSafe, hasContent, let field = headers.list("Content-Encoding") else { return nil }
    let other = field.split(0x2C).map(\.trimmed).first { !$0.isEmpty && !$0.equalsIgnoringCase("identity") }
    guard let other else { return nil }
    var problem = Problem(
      status: 415,
      detail: "The request's content must not be encoded: Content-Encoding must be identity or missing, got "
        + "\"\(other.shown)\".")
    problem.headers.add("Accept-Encoding", "identity")
    return problem
  }

  /// Whether there is content, or will be.
  private var hasContent: Bool {
    if !body.isEmpty || headers["Transfer-Encoding"] != nil { return true }
    return headers["Content-Length"].map { $0.bytes.contains { $0 != 0x30 } } ?? false
  }

  /// Takes the slash at the end of the path away; `/` itself has none.
  mutating func dropSlashAtEnd() {
    if segments.last == "" { segments.removeLast() }
  }
}
