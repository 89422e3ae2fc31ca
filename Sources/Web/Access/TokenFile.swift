import Platform
import Synchronization
import Text

/// The tokens in a file, one per line: name, role, salt, digest, time. A change of the file counts from the
/// next request on, so a revoked token is refused at once.
///
/// Whoever changes the file holds the lock `<file>.lock` from the read to the write, so that of two changes
/// at the same time, also by two processes, neither is lost.
package final class TokenFile: Sendable {
  package let path: String
  // Held across the look at the file: a thread that read an older content could otherwise replace a newer
  // one.
  private let state = Mutex(State())

  /// Tokens in a file.
  package static let tokensMax = 1_000
  /// Seconds for other processes to finish their change.
  private static let lockSecondsMax = 30
  /// The file is read again for this long after a change was seen. Two changes within one tick of the file
  /// system's clock can leave inode, size and time the same.
  private static let settlingNanoseconds: UInt64 = 1_000_000_000

  private struct State {
    var identity: FileIdentity?
    var content: ByteString = ""
    var entries: [(token: AccessToken, grant: Grant)] = []
    var changedAt: UInt64?
  }

  /// The file may be missing as long as it has no tokens.
  package init(_ path: String) { self.path = path }

  /// Every token, in the order of the file.
  ///
  /// - Throws: `AccessError`, `SystemError`.
  package func tokens() throws -> [AccessToken] { try entries().map(\.token) }

  /// Every token with what it grants, in the order of the file.
  ///
  /// - Throws: `AccessError`, `SystemError`.
  package func grants() throws -> [(token: AccessToken, grant: Grant)] { try entries() }

  /// Looks at the file, and ends the grants of tokens that are no longer in it.
  ///
  /// - Throws: `AccessError`, `SystemError`. A file that is not understood ends every grant.
  package func look() throws { _ = try entries() }

  /// What the secret grants; nil if there is no such token. Takes one hash for each different salt of the
  /// file, and the same time whichever token was nearly met.
  ///
  /// - Throws: `AccessError`, `SystemError`.
  package func grant(_ secret: ByteString) throws -> Grant? {
    let entries = try entries()
    guard AccessToken.isSecret(secret) else { return nil }
    var digests: [String: String] = [:]
    var found: Grant?
    for (token, grant) in entries {
      let digest = digests[token.salt] ?? AccessToken.digest(of: secret, salt: token.salt)
      digests[token.salt] = digest
      if token.matches(digest) { found = grant }
    }
    return found
  }

  /// Adds a token and returns its secret.
  ///
  /// - Throws: `AccessError`, `SystemError`.
  package func create(name: String, role: Role) throws -> String {
    try changing { lines in
      let tokens = lines.compactMap(\.token)
      let (token, secret) = try AccessToken.create(
        name: name, role: role, createdAt: SystemClock.rfc3339Now, salt: tokens.last?.salt)
      if tokens.contains(where: { ByteString($0.name) == ByteString(name) }) {
        throw AccessError.nameTaken(name)
      }
      if tokens.count >= TokenFile.tokensMax { throw AccessError.tooManyTokens(max: TokenFile.tokensMax) }
      lines.append((token.line, token))
      return secret
    }
  }

  /// Takes a token away.
  ///
  /// - Throws: `AccessError`, `SystemError`.
  package func revoke(name: String) throws {
    let name = ByteString(name)
    if try tokens().isEmpty { throw AccessError.noSuchToken(name.string, known: []) }
    try changing { lines in
      let count = lines.count
      lines.removeAll { $0.token.map { ByteString($0.name) == name } ?? false }
      if lines.count == count {
        throw AccessError.noSuchToken(name.string, known: lines.compactMap(\.token?.name))
      }
    }
  }

  /// One line of the file, and the token that it has unless it is empty or a comment.
  private typealias Line = (text: ByteString, token: AccessToken?)

  /// Reads the file, lets `change` at its lines and writes it, while nobody else does so.
  private func changing<Result>(_ change: (inout [Line]) throws -> Result) throws -> Result {
    let turn = try takeTurn()
    defer { withExtendedLifetime(turn) {} }
    var lines = try lines(of: read()?.content ?? "")
    let result = try change(&lines)
    let text = lines.map { "\($0.text)\n" }.joined()
    try AtomicFile.write(Array(text.utf8), to: path)
    return result
  }

  private func takeTurn() throws -> FileTurn {
    let lockPath = "\(path).lock"
    guard let turn = try FileTurn(lockPath, secondsMax: TokenFile.lockSecondsMax) else {
      throw AccessError.locked(path: lockPath, seconds: TokenFile.lockSecondsMax)
    }
    return turn
  }

  private func entries() throws -> [(token: AccessToken, grant: Grant)] {
    try state.withLock { state in
      do {
        try refresh(&state)
      } catch let error as AccessError {
        // What is not understood grants nothing.
        for (_, grant) in state.entries { grant.end() }
        state = State()
        throw error
      }
      return state.entries
    }
  }

  private func refresh(_ state: inout State) throws {
    let now = SystemClock.monotonicNanoseconds
    let isSettled = state.changedAt.map { now - min(now, $0) > TokenFile.settlingNanoseconds } ?? true
    if isSettled, let identity = state.identity, FileIdentity(path: path) == identity { return }
    let found = try read()
    if found?.identity != state.identity { state.changedAt = now }
    let content = found?.content ?? ""
    if content != state.content {
      // Tokens that were in the file before keep their grants.
      let before = state.entries
      state.entries = try lines(of: content).compactMap(\.token).map { token in
        (token, before.first { $0.token == token }?.grant ?? Grant(name: token.name, role: token.role))
      }
      for (token, grant) in before where !state.entries.contains(where: { $0.token == token }) { grant.end() }
      state.content = content
    }
    state.identity = found?.identity
  }

  private func lines(of content: ByteString) throws(AccessError) -> [Line] {
    var lines: [Line] = []
    for (index, text) in content.split(0x0A, omittingEmptySubsequences: false).enumerated() {
      let isComment = text.isEmpty || text.hasPrefix("#")
      let token = isComment ? nil : AccessToken(line: text)
      guard isComment || token != nil else { throw .malformedLine(path: path, number: index + 1) }
      lines.append((text, token))
    }
    // What follows the last newline is not a line.
    if lines.last?.text.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// The file's content, and the identity that it had before it was read; nil if there is no file.
  private func read() throws(SystemError) -> (identity: FileIdentity?, content: ByteString)? {
    let identity = FileIdentity(path: path)
    do throws(SystemError) {
      return (identity, ByteString(decoding: try File.content(of: path, .tokens)))
    } catch  where error.isNotFound {
      return nil
    }
  }
}
