import HTTP
import Text

/// Fields that keep a browser from doing with an answer what it is not meant for.
enum SecurityHeaders {
  /// For pages: code, styles and data from the daemon alone, nothing inline, never in a frame.
  static let pagePolicy: ByteString = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    """
  /// For everything else: opened by itself, it may load nothing.
  static let dataPolicy: ByteString = "default-src 'none'; frame-ancestors 'none'"

  /// Adds the fields that the answer does not have.
  static func add(to response: inout Response, isSecure: Bool) {
    let isPage = response.headers["Content-Type"]?.hasPrefix("text/html") == true
    var fields: [(ByteString, ByteString)] = [
      ("Content-Security-Policy", isPage ? pagePolicy : dataPolicy), ("X-Content-Type-Options", "nosniff"),
      ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
      ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    if isPage {
      fields.append(("Cross-Origin-Opener-Policy", "same-origin"))
      fields.append(("Permissions-Policy", "camera=(), geolocation=(), microphone=()"))
    }
    if isSecure { fields.append(("Strict-Transport-Security", "max-age=31536000")) }
    for (name, value) in fields where response.headers[name] == nil { response.headers.add(name, value) }
  }
}
