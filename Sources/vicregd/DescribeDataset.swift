import Datasets
import Inspector
import Platform

/// `vicregd describe-dataset`: looks at a dataset for the daemon, which starts it, in a process of its own.
enum DescribeDataset {
  static let name = "describe-dataset"

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    try runInspector(arguments, catalog: DatasetCatalog(environment: Environment.all))
  }
}
