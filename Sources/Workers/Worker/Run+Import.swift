import Datasets
import Importing
import JSONText
import Platform
import Recipe
import RunFolder
import Text
import Training

extension Run {
  /// Imports a dataset; `nil`: to the end. A run that was stopped or killed starts over, unless the dataset
  /// was complete.
  func importDataset(_ specification: ImportSpecification, _ spec: RunSpec) throws -> StopRequest? {
    guard let result = spec.datasetFolder else {
      throw RunFolderError(operation: "read", subject: folder.specPath, cause: "it names no dataset folder")
    }
    // How many images there are is not known before all are read.
    try start(spec, step: 0, steps: 0, epochs: 0, isa: "none")
    let work = DatasetImport(
      specification, source: spec.uploadPath ?? specification.path.string,
      // Where an upload lies was decided by the daemon.
      roots: spec.uploadPath == nil ? catalog.roots : nil, work: "\(folder.path)/import", result: result,
      threads: spec.threads)
    let reporter = ImportReporter(
      lock: lock, attempt: spec.attempt, events: events, log: log, signals: signals
    ) { try store($0, mediaType: "application/json", $1) }
    let outcome: ImportOutcome
    do {
      outcome = try work.run(reporter)
    } catch {
      // What is left is of no use; the error says what went wrong.
      try? FileSystem.removeTree("\(folder.path)/import")
      if let cause = (error as? ImportError)?.system { throw cause }
      throw error
    }
    switch outcome {
    case .stopped:
      guard let request = signals.request else { return .yield }
      try confirm(request, step: reporter.step)
      return request
    case .finished(let dataset):
      try events.append(.result(dataset.result))
      try events.sync()
      if let upload = spec.uploadPath { try FileSystem.removeTree(upload) }
      return nil
    }
  }
}

extension PackedDataset {
  /// Files that were left out and that a result lists; all are counted.
  private static let listedMax = 100

  /// The `result` of the import, from which answers about the dataset are made.
  fileprivate var result: JSON {
    let classNames = classes
    let classCounts = splits.compactMap { name, split -> (ByteString, JSON)? in
      guard let classNames, let counts = split.classCounts else { return nil }
      let named = zip(classNames, counts).map { (ByteString($0), JSON.integer($1)) }
      return (ByteString(name.rawValue), .object(Dictionary(named, uniquingKeysWith: { $1 })))
    }
    let skipped = skipped.prefix(Self.listedMax).map(\.json)
    return [
      "classes": classNames.map { .array($0.map(JSON.string)) } ?? .null,
      "counts": .object(
        Dictionary(
          uniqueKeysWithValues: DatasetSelection.Split.allCases.map {
            (ByteString($0.rawValue), .integer(counts[$0] ?? 0))
          })),
      "class_counts": classNames == nil
        ? .null : .object(Dictionary(classCounts, uniquingKeysWith: { $1 })),
      "shape": [3, .integer(side), .integer(side)], "channels": .integer(planes),
      "mean": .array(statistics.mean.map(JSON.number)), "std": .array(statistics.std.map(JSON.number)),
      "digest": .string(fingerprint.digest), "bytes": .integer(bytes), "skipped": .array(Array(skipped)),
      "skipped_count": .integer(skippedCount), "fingerprint": fingerprint.json,
    ]
  }
}
