/// Why tokens cannot be read or changed.
package enum AccessError: Error, Equatable, CustomStringConvertible {
  /// A line of the file that is no token.
  case malformedLine(path: String, number: Int)
  /// A name that a token cannot have.
  case badName(String)
  /// A token of that name is there already.
  case nameTaken(String)
  /// There is no token of that name.
  case noSuchToken(String, known: [String])

  package var description: String {
    switch self {
    case .malformedLine(let path, let number):
      "cannot read \(path): line \(number) is not \"NAME read|write SALT SHA256 TIME\"; "
        + "remove it, or restore the file"
    case .badName(let name):
      "a token's name must be 1 to 64 of a-z, A-Z, 0-9, '.', '_' and '-', is \"\(name.prefix(80))\""
    case .nameTaken(let name): "there is a token \"\(name)\" already; revoke it, or take another name"
    case .noSuchToken(let name, let known):
      "there is no token \"\(name)\"; there are \(known.isEmpty ? "none" : known.joined(separator: ", "))"
    }
  }
}
