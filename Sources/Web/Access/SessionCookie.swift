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
    let name = name(isSecure: request.isSecure)
    return request.headers.all("Cookie").flatMap { ByteString($0).split(UInt8(ascii: ";")) }.compactMap {
      let sides = $0.split(UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      return sides.count == 2 && sides[0].trimmed == name ? sides[1].trimmed : nil
    }
  }

  /// Gives the browser a session until it is closed.
  static func add(_ id: String, to headers: inout Headers, isSecure: Bool) {
    headers.add("Set-Cookie", "\(name(isSecure: isSecure))=\(id); \(attributes(isSecure: isSecure))")
    clearToken(headers: &headers, isSecure: isSecure)
  }

  /// Has the browser forget the session.
  static func clear(headers: inout Headers, isSecure: Bool) {
    headers.add("Set-Cookie", "\(name(isSecure: isSecure))=; Max-Age=0; \(attributes(isSecure: isSecure))")
    clearToken(headers: &headers, isSecure: isSecure)
  }

  /// Earlier versions kept the token itself in a cookie for 30 days.
  private static func clearToken(headers: inout Headers, isSecure: Bool) {
    headers.add("Set-Cookie", "vicregd_token=; Max-Age=0; \(attributes(isSecure: isSecure))")
  }

  private static func attributes(isSecure: Bool) -> String {
    "Path=/; HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")"
  }
}
