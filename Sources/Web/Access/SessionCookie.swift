import HTTP
import Text

/// The cookie by which a browser shows its session, also for downloads and event streams, where a page cannot
/// set `Authorization`.
enum SessionCookie {
  /// Over TLS a name that browsers let nobody set but this host over TLS (RFC 6265bis, section 4.1.3.2).
  static func name(isSecure: Bool) -> ByteString {
    isSecure ? "__Host-vicregd_session" : "vicregd_session"
  }

  /// Every id that the request has. A server on another port of this host may have set a cookie of the name
  /// for another path, and browsers then send both.
  static func ids(in request: Request) -> [ByteString] {
    values(of: name(isSecure: request.isSecure), in: request)
  }

  /// Gives the browser a session until it is closed.
  static func add(_ id: String, to headers: inout Headers, for request: Request) {
    headers.add("Set-Cookie", text(name(isSecure: request.isSecure), id, request))
    clearToken(headers: &headers, for: request)
  }

  /// Has the browser forget the session.
  static func clear(headers: inout Headers, for request: Request) {
    headers.add("Set-Cookie", text(name(isSecure: request.isSecure), nil, request))
    clearToken(headers: &headers, for: request)
  }

  /// Earlier versions kept the token itself in a cookie for 30 days.
  private static let tokenName: ByteString = "vicregd_token"

  private static func clearToken(headers: inout Headers, for request: Request) {
    if values(of: tokenName, in: request).isEmpty { return }
    headers.add("Set-Cookie", text(tokenName, nil, request))
  }

  private static func values(of name: ByteString, in request: Request) -> [ByteString] {
    request.headers.all("Cookie").flatMap { $0.split(UInt8(ascii: ";")) }.compactMap {
      let sides = $0.split(UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      return sides.count == 2 && sides[0].trimmed == name ? sides[1].trimmed : nil
    }
  }

  /// The value of `Set-Cookie`; without a value of its own the cookie is removed.
  private static func text(_ name: ByteString, _ value: String?, _ request: Request) -> String {
    "\(name)=\(value ?? ""); Path=/; HttpOnly; SameSite=Strict"
      + (value == nil ? "; Max-Age=0" : "") + (request.isSecure ? "; Secure" : "")
  }
}
