/// How far the daemon's workers stand back behind other processes (`nice(2)`).
package enum Niceness {
  /// The variable by which the daemon tells its children.
  package static let variable = "VICREGD_WORKER_NICE"
  /// What can be had without privileges.
  package static let range = 0...19

  /// Lowers this process's priority as the daemon has asked for.
  package static func lowerPriority(as environment: [String: String]) {
    guard let steps = environment[variable].flatMap({ Int($0) }), range.contains(steps), steps > 0 else {
      return
    }
    Platform.lowerPriority(by: Int32(steps))
  }
}
