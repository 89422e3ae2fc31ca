import Platform
import Worker

/// `vicregd work RUN_DIR`: does what the run folder's specification says, and tells it there.
enum Work {
  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    guard arguments.count == 1, let folder = arguments.first, !folder.hasPrefix("-") else {
      throw UsageError("usage: vicregd work RUN_DIR")
    }
    return runWorker(runDirectory: folder, version: Version.number)
  }
}
