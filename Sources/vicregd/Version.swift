import Platform

/// `vicregd version`: which build this is.
enum Version {
  static let number = "0.1.0"

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard arguments.isEmpty else { throw UsageError("version takes no arguments") }
    StandardStream.output.write("vicregd \(number)\n")
    return 0
  }
}
