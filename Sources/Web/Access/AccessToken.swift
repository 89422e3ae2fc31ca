import Crypto
import Text

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
/// A token has 256 random bits, so no slow hash is needed to keep anybody from guessing it, and the tokens of
/// a file can share one salt: a wrong token then costs one hash, however many tokens the file has.
package struct AccessToken: Sendable, Equatable {
  package let name: String
  package let role: Role
  /// When it was made, as RFC 3339.
  package let createdAt: String
  /// 16 random bytes in hexadecimal digits.
  let salt: String
  private let digest: String

  /// Makes a token. The secret is returned once and kept nowhere.
  ///
  /// - Parameter salt: that of the other tokens in the file; nil makes one.
  /// - Throws: `AccessError.badName`.
  package static func create(
    name: String, role: Role, createdAt: String, salt: String? = nil
  ) throws(AccessError) -> (token: AccessToken, secret: String) {
    guard isName(ByteString(name)) else { throw .badName(name) }
    let secret = "\(prefix.string)\(SecureRandom.id(byteCount: secretBytes))"
    let salt = salt ?? SecureRandom.id(byteCount: saltBytes)
    let token = AccessToken(
      name: name, role: role, createdAt: createdAt, salt: salt,
      digest: digest(of: ByteString(secret), salt: salt))
    return (token, secret)
  }

  private init(name: String, role: Role, createdAt: String, salt: String, digest: String) {
    self.name = name
    self.role = role
    self.createdAt = createdAt
    self.salt = salt
    self.digest = digest
  }

  /// Reads a line of the file; nil if it is not a token's.
  init?(line: ByteString) {
    let parts = line.split(space, omittingEmptySubsequences: false)
    guard parts.count == 5, AccessToken.isName(parts[0]),
      let role = Role.allCases.first(where: { ByteString($0.rawValue) == parts[1] }),
      isLowercaseHexadecimal(parts[2], bytes: AccessToken.saltBytes),
      isLowercaseHexadecimal(parts[3], bytes: AccessToken.digestBytes), AccessToken.isTime(parts[4])
    else { return nil }
    self.init(
      name: parts[0].string, role: role, createdAt: parts[4].string, salt: parts[2].string,
      digest: parts[3].string)
  }

  /// The line of the file.
  var line: ByteString { ByteString("\(name) \(role.rawValue) \(salt) \(digest) \(createdAt)") }

  /// Whether a text has the form of a token. What has not is wrong without a look at any token.
  static func isSecret(_ text: ByteString) -> Bool {
    text.hasPrefix(prefix)
      && isLowercaseHexadecimal(ByteString(decoding: text.bytes.dropFirst(prefix.count)), bytes: secretBytes)
  }

  /// Whether this is the token that has this digest with `salt`; takes the same time whichever byte differs.
  func matches(_ other: String) -> Bool {
    isEqualInConstantTime(Array(other.utf8), Array(digest.utf8))
  }

  /// What the file would keep of a secret.
  static func digest(of secret: ByteString, salt: String) -> String {
    hexadecimal(SHA256.digest(of: Array(salt.utf8) + Array(secret.bytes)))
  }

  /// Begins every token, so that people and scanners of leaks recognise one.
  private static let prefix: ByteString = "vicregd_"
  private static let secretBytes = 32
  private static let saltBytes = 16
  private static let digestBytes = 32

  private static func isName(_ text: ByteString) -> Bool {
    let allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".utf8
    return (1...64).contains(text.count) && text.bytes.allSatisfy(allowed.contains)
  }

  /// The characters of an RFC 3339 time.
  private static func isTime(_ text: ByteString) -> Bool {
    (1...40).contains(text.count) && text.bytes.allSatisfy("0123456789TZ:.+-".utf8.contains)
  }
}

private let space = UInt8(ascii: " ")

/// Whether a text is that many bytes in hexadecimal digits, in lower case.
func isLowercaseHexadecimal(_ text: ByteString, bytes: Int) -> Bool {
  text.count == 2 * bytes
    && text.bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
}
