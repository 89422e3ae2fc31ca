import HTTP
import Text

/// A request's token, and the answers to one that is missing, wrong or not enough (RFC 6750).
enum Credentials {
  /// The token of the `Authorization` field; nil without the field.
  ///
  /// - Throws: `Problem` for an `Authorization` that is not a bearer token.
  static func secret(of request: Request) throws(Problem) -> ByteString? {
    let fields = request.headers.all("Authorization")
    guard let field = fields.first else { return nil }
    let parts = field.split(UInt8(ascii: " "))
    guard fields.count == 1 else {
      throw problem(401, error: "invalid_request", "The Authorization field may be given only once.")
    }
    guard parts.count == 2, parts[0].equalsIgnoringCase("Bearer"), parts[1].count <= secretBytesMax else {
      throw problem(
        401, error: "invalid_request",
        "The Authorization field must be \"Bearer TOKEN\", with an access token.")
    }
    return parts[1]
  }

  private static let secretBytesMax = 256

  /// 401 without a token and without a session that goes on.
  static let missing = problem(
    401, error: nil,
    "This needs an access token: send \"Authorization: Bearer TOKEN\", or sign in on the dashboard. "
      + "On the daemon's machine, `vicregd token create --name NAME --data DIR` makes a token; DIR is the "
      + "daemon's data folder.")
  /// 401 for a token that nobody has.
  static let wrong = problem(401, error: "invalid_token", "This token does not exist or was revoked.")

  /// 403 for a token that may read only.
  static func notEnough(_ name: String) -> Problem {
    problem(
      403, error: "insufficient_scope",
      "The token \"\(name)\" has the role read; this needs a token with the role write.")
  }

  /// 429 for a wrong token of a client that has presented too many.
  static func tooMany(_ seconds: Int) -> Problem {
    var problem = Problem(
      status: 429,
      detail: "This token does not exist or was revoked, and too many wrong tokens came from your address; "
        + "wait \(seconds) seconds.")
    problem.headers.add("Retry-After", "\(seconds)")
    return problem
  }

  private static func problem(_ status: Int, error: String?, _ detail: String) -> Problem {
    var problem = Problem(status: status, detail: detail)
    let more = error.map { ", error=\"\($0)\"" } ?? ""
    problem.headers.add("WWW-Authenticate", "Bearer realm=\"vicregd\"\(more)")
    return problem
  }
}
