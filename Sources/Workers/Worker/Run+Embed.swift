import Datasets
import JSONText
import NeuralNet
import Recipe
import RunFolder
import Text
import Training

extension Run {
  /// Embeds the images of a split; `nil`: to the end. A run that was stopped or killed goes on behind the
  /// batches that were safe.
  func embed(_ specification: EmbedSpecification, _ spec: RunSpec) throws -> StopRequest? {
    let name = specification.dataset.name
    let catalog = catalog(spec, name)
    let dataset = try opening(name) {
      try catalog.open(name.string, split: specification.split, limit: specification.dataset.limit)
    }
    try checkInputs(spec, of: name, [dataset])
    let recorded = try recordedConvolutions()
    let embedding = try DatasetEmbedding(
      specification, checkpoint: try source(spec) { !$0.hasPrefix("optimizer.") }, dataset: dataset,
      threads: spec.threads, recorded: recorded)
    var spool = try FeatureSpool(
      folder: "\(folder.path)/embed", rowBytes: embedding.featureCount * MemoryLayout<Float>.stride,
      identity: embedding.instructionSet.rawValue
    ) { $0 >= dataset.count ? dataset.count : DatasetEmbedding.wholeBatches($0) }
    let first = spool.rows
    try start(
      spec, step: specification.stepCount(imageCount: first), steps: embedding.stepsTotal, epochs: 1,
      isa: embedding.instructionSet.rawValue)
    if recorded == nil { try record(embedding.convolutions, isFirst: true) }
    let reporter = reporter(spec, keeping: .init(newest: 1))
    if first < dataset.count {
      let stopped = try embedding.run(from: first, reporter) { rows, _ in try spool.append(rows) }
      if let stopped {
        if stopped != .cancelNow { try spool.sync() }
        try confirm(stopped, step: specification.stepCount(imageCount: spool.rows))
        return stopped
      }
      try spool.sync()
    }
    try storeEmbeddings(spool, dataset, featureCount: embedding.featureCount, catalog, specification)
    let result = try withInputs(
      [
        "images": .integer(dataset.count), "dimension": .integer(embedding.featureCount),
        "layer": .string(specification.layer.rawValue), "dataset": .string(name),
        "split": .string(specification.split.rawValue),
        "isa": .string(embedding.instructionSet.rawValue),
        "classes": .array(dataset.classes.map(JSON.string)),
      ])
    log.info("result \(result.text)")
    try events.append(.result(result))
    try events.sync()
    // What is left is not needed any more, and goes with the job.
    try? spool.remove()
    return nil
  }

  /// Writes `embeddings.npy`, `labels.npy` and `index.json`.
  private func storeEmbeddings(
    _ spool: FeatureSpool, _ dataset: ImageDataset, featureCount: Int, _ catalog: DatasetCatalog,
    _ specification: EmbedSpecification
  ) throws {
    let count = dataset.count
    try store("embeddings.npy", mediaType: NumPyHeader.mediaType) { write in
      try write(NumPyHeader.bytes(.float32, shape: [count, featureCount]))
      try spool.read(write)
    }
    try store("labels.npy", mediaType: NumPyHeader.mediaType) { write in
      try write(NumPyHeader.bytes(.int64, shape: [count]))
      for start in stride(from: 0, to: count, by: Self.pieceRows) {
        let rows = start..<min(start + Self.pieceRows, count)
        // An image without a label has −1.
        try write(NumPyHeader.bytes(of: rows.map { dataset.labels?[$0] ?? -1 }))
      }
    }
    try store("index.json", mediaType: "application/json") { write in
      let index = IndexText()
      let hasPaths = try catalog.readPaths(
        specification.dataset.name.string, split: specification.split, countMax: count
      ) { try index.add(.string($0), write) }
      if !hasPaths { for image in 0..<count { try index.add(.integer(image), write) } }
      try index.end(write)
    }
  }

  /// Rows that are written at a time.
  private static let pieceRows = 64 << 10
}

/// The text of an array whose elements come one after another.
private final class IndexText {
  private var pending: [UInt8] = []
  private var isEmpty = true

  private static let pieceBytes = 1 << 20

  func add(_ element: JSON, _ write: ([UInt8]) throws -> Void) throws {
    pending += Array((isEmpty ? "[" : ",\n").utf8)
    isEmpty = false
    pending += element.utf8
    guard pending.count >= Self.pieceBytes else { return }
    try write(pending)
    pending.removeAll(keepingCapacity: true)
  }

  func end(_ write: ([UInt8]) throws -> Void) throws {
    try write(pending + Array((isEmpty ? "[]\n" : "]\n").utf8))
  }
}
