import HTTP
import Text

/// A request's token, and the answers to one that is missing, wrong or not enough (RFC 6750).
enum Credentials {
  /// The token of the `Authorization` field, or of the dashboard's cookie; nil without any.
  ///
  /// - Throws: `Problem` for an `Authorization` that is no bearer token.
  static func secret(of request: Request) throws(Problem) -> ByteString? {
    let fields = request.headers.all("Authorization")
    if fields.isEmpty { return cookie(request) }
    let parts = fields[0].split(0x20)
    guard fields.count == 1, parts.count == 2, parts[0].equalsIgnoringCase("Bearer"),
      (1...secretBytesMax).contains(parts[1].count)
    else {
      throw problem(
        401, error: "invalid_request", "The Authorization field must be \"Bearer TOKEN\", and stand once.")
    }
    return parts[1]
  }

  private static let secretBytesMax = 256

  private static func cookie(_ request: Request) -> ByteString? {
    for pair in request.headers.all("Cookie").flatMap({ $0.split(0x3B) }) {
      let (key, value) = pair.trimmed.divided(at: 0x3D)
      if key == AccessControl.cookieName, let value, (1...secretBytesMax).contains(value.count) {
        return value
      }
    }
    return nil
  }

  /// 401 without a token.
  static let missing = problem(
    401, error: nil, "A token is needed: Authorization: Bearer TOKEN. `vicregd token create` makes one.")
  /// 401 for a token that nobody has.
  static let wrong = problem(401, error: "invalid_token", "The token is not known here, or was revoked.")

  /// 403 for a token that may read only.
  static func notEnough(_ name: String) -> Problem {
    problem(
      403, error: "insufficient_scope", "The token \"\(name)\" may read only; this needs one with role write."
    )
  }

  /// 429 for an address that has guessed too often.
  static func tooMany(_ seconds: Int) -> Problem {
    var problem = Problem(
      status: 429, detail: "Too many wrong tokens came from your address; try again in \(seconds) s.")
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
