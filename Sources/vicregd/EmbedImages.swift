import API
import Datasets
import Embedder
import Platform

/// `vicregd embed-images`: describes images for the daemon, which starts it, in a process of its own.
enum EmbedImages {
  static let name = "embed-images"

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 { try runEmbedder(arguments) }

  /// What embeds images for a daemon. Images of requests that an earlier one has left are removed.
  static func embedder(_ settings: ServeSettings, data: String) throws -> ImageEmbedder {
    try FileSystem.removeTree(API.embedFolder(in: data))
    return try ImageEmbedder(
      ImageEmbedder.Configuration(
        program: try FileSystem.executablePath(), arguments: [name], datasetArguments: [EmbedDataset.name],
        environment: settings.workerEnvironment(Environment.all), threads: settings.placement.threadsMax,
        processesMax: settings.embedders, idleSeconds: settings.embedderIdleSeconds,
        seconds: settings.web.limits["embed_seconds"] ?? API.embedSecondsDefault,
        datasetSeconds: EmbedDataset.seconds, memoryBytes: settings.embedderBytes,
        folder: "\(data)/features", folderBytesMax: settings.featuresBytes))
  }
}

/// `vicregd embed-dataset`: computes the features of a dataset for the daemon, which starts it, in a process
/// of its own.
enum EmbedDataset {
  static let name = "embed-dataset"
  /// Processes that compute features of datasets at the same time.
  static let processesMax = 1
  /// Longest time of one process: a million images through a large network on few cores.
  static let seconds = 86_400

  /// Runs the subcommand.
  static func run(_ arguments: [String]) throws -> Int32 {
    try runBankBuilder(arguments, catalog: DatasetCatalog(environment: Environment.all))
  }
}

extension ImageEmbedder: EmbeddingService {}
