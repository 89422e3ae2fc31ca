import Crypto
import Platform
import Synchronization

/// The tokens in a file, one a line: name, role, salt, digest, time. A change of the file counts from the
/// next request on, so a revoked token is refused at once.
package final class TokenFile: Sendable {
  package let path: String
  private let state = Mutex(State())

  private struct State {
    var identity: FileIdentity?
    var tokens: [AccessToken] = []
    /// SHA-256 of secrets that were right since the file was read.
    var accepted: [[UInt8]: Grant] = [:]
  }

  /// Whose token it is, and what it allows.
  package struct Grant: Sendable, Equatable {
    package let name: String
    package let role: Role
  }

  /// The file may be missing as long as it has no tokens.
  package init(_ path: String) { self.path = path }

  /// Every token, in the order of the file.
  ///
  /// - Throws: `AccessError`, `SystemError`.
  package func tokens() throws -> [AccessToken] {
    try state.withLock { state in
      try refresh(&state)
      return state.tokens
    }
  }

  /// Whom the secret belongs to.
  package func grant(_ secret: String) throws -> Grant? {
    let key = SHA256.digest(of: Array(secret.utf8))
    let (tokens, known) = try state.withLock { state in
      try refresh(&state)
      return (state.tokens, state.accepted[key])
    }
    if let known { return known }
    // Every token is tried, so the time tells nothing of which one was nearly met.
    var found: AccessToken?
    for token in tokens where token.matches(secret) { found = token }
    guard let found else { return nil }
    let grant = Grant(name: found.name, role: found.role)
    state.withLock { state in
      if state.tokens.contains(found) { state.accepted[key] = grant }
    }
    return grant
  }

  /// Whether the secret has been right before. Costs one hash, whatever the number of tokens.
  package func isKnown(_ secret: String) throws -> Bool {
    let key = SHA256.digest(of: Array(secret.utf8))
    return try state.withLock { state in
      try refresh(&state)
      return state.accepted[key] != nil
    }
  }

  /// Adds a token and returns its secret.
  ///
  /// - Throws: `AccessError`, `SystemError`.
  package func create(name: String, role: Role) throws -> String {
    let (token, secret) = try AccessToken.create(name: name, role: role, createdAt: SystemClock.rfc3339Now)
    let tokens = try tokens()
    if tokens.contains(where: { $0.name == name }) { throw AccessError.nameTaken(name) }
    try write(tokens + [token])
    return secret
  }

  /// Takes a token away.
  ///
  /// - Throws: `AccessError.noSuchToken`, `SystemError`.
  package func revoke(name: String) throws {
    let tokens = try tokens()
    guard tokens.contains(where: { $0.name == name }) else {
      throw AccessError.noSuchToken(name, known: tokens.map(\.name))
    }
    try write(tokens.filter { $0.name != name })
  }

  private func write(_ tokens: [AccessToken]) throws {
    let text = tokens.map { "\($0.line)\n" }.joined()
    try AtomicFile.write(Array(text.utf8), to: path)
  }

  private func refresh(_ state: inout State) throws {
    let identity = FileIdentity(path: path)
    if identity == state.identity { return }
    state = State()
    guard let identity else { return }
    let text = String(decoding: try File.content(of: path, .tokens), as: UTF8.self)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where !line.isEmpty && !line.hasPrefix("#") {
      guard let token = AccessToken(line: String(line)) else {
        throw AccessError.malformedLine(path: path, number: index + 1)
      }
      state.tokens.append(token)
    }
    state.identity = identity
  }
}
