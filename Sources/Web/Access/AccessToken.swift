import Crypto

/// What a token lets its bearer do.
package enum Role: String, Sendable, CaseIterable {
  /// Look at everything.
  case read
  /// Look at and change everything.
  case write

  /// Whether this role is enough for what needs the other.
  func allows(_ needed: Role) -> Bool { self == .write || needed == .read }
}

/// A token as the file keeps it: never the token itself, but a salted SHA-256 of it.
///
/// A token has 256 random bits, so no slow hash is needed to keep anybody from guessing it; the salt keeps
/// equal tokens from looking equal.
package struct AccessToken: Sendable, Equatable {
  package let name: String
  package let role: Role
  /// When it was made, as RFC 3339.
  package let createdAt: String
  private let salt: String
  private let digest: String

  /// Makes a token. The secret is given once and kept nowhere.
  ///
  /// - Throws: `AccessError.badName`.
  package static func create(
    name: String, role: Role, createdAt: String
  ) throws(AccessError) -> (token: AccessToken, secret: String) {
    guard isName(name) else { throw .badName(name) }
    let secret = "\(prefix)\(SecureRandom.id(byteCount: 32))"
    let salt = SecureRandom.id(byteCount: 16)
    let token = AccessToken(
      name: name, role: role, createdAt: createdAt, salt: salt, digest: digest(of: secret, salt: salt))
    return (token, secret)
  }

  private init(name: String, role: Role, createdAt: String, salt: String, digest: String) {
    self.name = name
    self.role = role
    self.createdAt = createdAt
    self.salt = salt
    self.digest = digest
  }

  /// Reads a line of the file; nil if it is none.
  init?(line: String) {
    let parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5, AccessToken.isName(parts[0]), let role = Role(rawValue: parts[1]),
      parts[2].utf8.count == 32, parts[3].utf8.count == 64
    else { return nil }
    self.init(name: parts[0], role: role, createdAt: parts[4], salt: parts[2], digest: parts[3])
  }

  /// The line of the file.
  var line: String { "\(name) \(role.rawValue) \(salt) \(digest) \(createdAt)" }

  /// Whether this is the token; takes the same time whichever byte differs.
  package func matches(_ secret: String) -> Bool {
    isEqualInConstantTime(
      Array(AccessToken.digest(of: secret, salt: salt).utf8), Array(digest.utf8))
  }

  /// Begins every token, so that people and scanners of leaks know one.
  private static let prefix = "vicregd_"

  private static func digest(of secret: String, salt: String) -> String {
    hexadecimal(SHA256.digest(of: Array(salt.utf8) + Array(secret.utf8)))
  }

  private static func isName(_ text: String) -> Bool {
    let allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".utf8
    return (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(allowed.contains)
  }
}
