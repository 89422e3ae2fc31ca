import Text

/// Fields that keep a browser from doing with an answer what it is not meant for. Every answer has them; a
/// field that a handler has set itself stays unchanged.
package struct SecurityFields: Sendable {
  /// For pages: code, styles and data from the daemon alone, nothing inline, never in a frame.
  private static let pagePolicy = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'
    """
  /// For everything else: opened by itself, it may load nothing.
  private static let dataPolicy = "default-src 'none'; frame-ancestors 'none'"

  private let ofPages: [(name: ByteString, value: ByteString)]
  private let ofData: [(name: ByteString, value: ByteString)]
  /// For a 304: a cache puts its fields over those of the answer that it has (RFC 9111, section 3.2), and it
  /// does not say whether that is a page, so it has no policy.
  private let ofNotModified: [(name: ByteString, value: ByteString)]

  /// - Parameters:
  ///   - isSecure: whether the server speaks TLS.
  ///   - hstsSeconds: how long a browser must use TLS only (RFC 6797); 0: it is not told.
  package init(isSecure: Bool, hstsSeconds: Int) {
    var shared: [(name: ByteString, value: ByteString)] = [
      (name: "X-Content-Type-Options", value: "nosniff"), (name: "X-Frame-Options", value: "DENY"),
      (name: "Referrer-Policy", value: "no-referrer"),
      (name: "Cross-Origin-Resource-Policy", value: "same-origin"),
    ]
    if isSecure, hstsSeconds > 0 {
      shared.append((name: "Strict-Transport-Security", value: ByteString("max-age=\(hstsSeconds)")))
    }
    ofNotModified = shared
    ofData = [(name: "Content-Security-Policy", value: ByteString(Self.dataPolicy))] + shared
    ofPages =
      [(name: "Content-Security-Policy", value: ByteString(Self.pagePolicy))] + shared + [
        (name: "Cross-Origin-Opener-Policy", value: "same-origin"),
        (name: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=()"),
      ]
  }

  /// Adds the fields that the answer with that status does not have.
  package func add(to headers: inout Headers, status: Int) {
    let isPage = headers["Content-Type"]?.hasPrefix("text/html") == true
    let own = headers.fields.count
    for (name, value) in status == 304 ? ofNotModified : isPage ? ofPages : ofData {
      let isSet = headers.fields[..<own].contains { $0.name.equalsIgnoringCase(name) }
      if !isSet { headers.add(name, value) }
    }
  }
}
