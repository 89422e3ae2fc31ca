/// How far the daemon's workers stand back behind other processes (`nice(2)`).
package enum Niceness {
  /// The variable by which the daemon tells its children.
  package static let variable = "VICREGD_WORKER_NICE"
  /// What can be had without privileges.
  package static let range = 0...19

  /// Has this process, which the daemon has started, compute beside others: with turns of ordinary length,
  /// which are short in the daemon, and with the priority that the daemon has asked for.
  package static func standBack(as environment: [String: String]) {
    Thread.take(.ordinary)
    guard let steps = environment[variable].flatMap({ Int($0) }), range.contains(steps), steps > 0 else {
      return
    }
    lowerPriority(by: Int32(steps))
  }
}
