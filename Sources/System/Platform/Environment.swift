import Glibc

/// The variables that this process was started with.
package enum Environment {
  /// Every `NAME=value`; what has no `=` is left out.
  package static var all: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return variables
  }
}

/// Ends this process with an exit code, without unwinding.
package func exitProcess(_ code: Int32) -> Never { exit(code) }
