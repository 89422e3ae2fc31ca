import Text

/// Why tokens cannot be read or changed.
package enum AccessError: Error, Equatable, CustomStringConvertible {
  /// A line of the file that is not a token's.
  case malformedLine(path: String, number: Int)
  /// Another process changes the file and does not finish.
  case locked(path: String, seconds: Int)
  /// A name that a token cannot have.
  case badName(String)
  /// There is a token of that name already.
  case nameTaken(String)
  /// The file has as many tokens as it may have.
  case tooManyTokens(max: Int)
  /// There is no token of that name.
  case noSuchToken(String, known: [String])

  package var description: String {
    switch self {
    case .malformedLine(let path, let number):
      "cannot read \(path): line \(number) is not \"NAME read|write SALT SHA256 TIME\"; "
        + "remove the line, or restore the file"
    case .locked(let path, let seconds):
      "cannot change the tokens: another process has held \(path) for \(seconds) seconds"
    case .badName(let name):
      "a token's name must be 1 to 64 characters of a-z, A-Z, 0-9, \".\", \"_\" and \"-\", "
        + "got \"\(ByteString(name).shortened(toBytes: 80))\""
    case .nameTaken(let name):
      "there is already a token \"\(name)\"; revoke it first, or choose another name"
    case .tooManyTokens(let max): "the file already has \(max) tokens, which is the limit; revoke one first"
    case .noSuchToken(let name, let known):
      "there is no token \"\(ByteString(name).shortened(toBytes: 80))\"; there are "
        + (known.isEmpty ? "none" : known.joined(separator: ", "))
    }
  }
}
