import API
import Exporter

/// `vicregd export-checkpoint`: makes a file of a checkpoint for the daemon, which starts it, in a process of
/// its own.
enum ExportCheckpoint {
  static let name = "export-checkpoint"
  /// Processes that make files at the same time.
  static let processesMax = 1
  /// Longest time of one process, which a checkpoint of many gigabytes needs on a slow disk.
  static let seconds = 1_800

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 { try runExporter(arguments) }
}

extension ModelExporter: ModelExports {}
