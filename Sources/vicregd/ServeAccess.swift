import API
import Access
import HTTP
import Logging
import Platform

/// Who may use the daemon: what `serve` makes of its settings about access.
struct ServeAccess: Sendable {
  private let web: WebSettings
  private let tokens: TokenFile?
  private let hosts: HostRule
  /// nil: no authentication.
  let authenticator: Authenticator?

  /// The name of the token that the daemon creates for itself.
  static let firstTokenName = "first"

  /// - Throws: `UsageError` where others could reach a daemon that asks for no token; `AccessError` and
  ///   `SystemError` if the tokens cannot be read.
  init(_ web: WebSettings) throws {
    self.web = web
    tokens = try ServeAccess.tokens(web)
    hosts = try web.hostRule(hasTokens: tokens != nil)
    authenticator = tokens.map { Authenticator(tokens: $0, sessions: Sessions(web.sessions)) }
    // A file that cannot be looked at has no tokens yet.
    if let tokens, let permissions = try? FileSystem.permissions(tokens.path), permissions & 0o022 != 0 {
      Log("serve").warning(
        "the token file \(tokens.path) has mode 0\(String(permissions, radix: 8)): other users of this "
          + "machine can create access tokens; mend it by: chmod 600 \(tokens.path)")
    }
  }

  /// The tokens that requests need; nil without authentication.
  private static func tokens(_ web: WebSettings) throws -> TokenFile? {
    if web.isAuthDisabled {
      if !web.isLoopback {
        Log("serve").warning("anyone who reaches \(web.host.text) can queue and delete jobs")
      }
      return nil
    }
    let file = TokenFile(web.tokensPath)
    if try !file.tokens().isEmpty || web.createsToken { return file }
    if web.isLoopback { return nil }
    throw UsageError(
      "--host \(web.host.text) can be reached by others, and \(file.path) has no access token: anyone could "
        + "queue and delete jobs. Create a token (\(web.tokenCommand)), have one created (--create-token), "
        + "listen on 127.0.0.1, or give --insecure-no-auth if the network is trusted")
  }

  /// The routes behind these rules.
  func control(_ router: Router) -> AccessControl {
    AccessControl(
      router, authenticator: authenticator, hosts: hosts,
      origins: OriginRule(allowedOrigins: web.allowedOrigins))
  }

  /// Ends streams and downloads of tokens that are revoked; nil without authentication.
  func watchTokens() throws(SystemError) -> TokenWatch? {
    guard let tokens else { return nil }
    return try TokenWatch(tokens) { error in
      Log("access").error("\(error); requests that need a token are refused until this is mended")
    }
  }

  /// Every token and when it was used last; nil without authentication.
  ///
  /// - Throws: `AccessError`, `SystemError`.
  func tokenReports() throws -> [SystemFacts.Token]? {
    try tokens?.grants().map { token, grant in
      SystemFacts.Token(
        name: token.name, role: token.role.rawValue, createdAt: token.createdAt,
        usedAtMilliseconds: grant.usedAtMilliseconds)
    }
  }

  /// With `--create-token`, creates a token if there is none, and prints it and the address that signs in
  /// with it. Called when the daemon listens: a start that fails must not leave a token that nobody has seen.
  ///
  /// - Throws: `AccessError`, `SystemError`.
  func createFirstToken(port: Int) throws {
    guard let tokens, web.createsToken, try tokens.tokens().isEmpty else { return }
    let secret = try tokens.create(name: ServeAccess.firstTokenName, role: .write)
    // What follows # stays in the browser: it reaches neither a server nor its logs.
    StandardStream.error.write(
      """
      There was no access token, so one was created. It is shown only this once:
          \(secret)
      Sign in by opening this address, with the name of this machine if you come from another one:
          \(web.address(port: port))/#token=\(secret)

      """)
  }
}
