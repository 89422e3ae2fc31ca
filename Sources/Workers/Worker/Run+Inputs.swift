import Datasets
import Recipe
import RunFolder
import Text
import Training

/// Something that a run depends on is not what it was.
enum ChangedInput: Error, CustomStringConvertible {
  /// The dataset of that name; each difference is a sentence.
  case dataset(name: ByteString, differences: [String])
  /// The dataset of that name cannot be read any more.
  case unreadable(name: ByteString, DatasetError)
  /// The checkpoint that is evaluated or begun with.
  case checkpoint

  var description: String {
    switch self {
    case .dataset(let name, let differences):
      "the dataset \"\(name.shown)\" has changed: \(differences.joined(separator: "; ")); put the old one "
        + "back and retry, or submit a new job"
    case .unreadable(let name, let error):
      "the dataset \"\(name.shown)\" has changed since the first start: \(error); put the old one back and "
        + "retry, or submit a new job"
    case .checkpoint:
      "the checkpoint to evaluate or to begin with is not the one of the first start; submit a new job"
    }
  }
}

extension Run {
  /// The datasets that the run can open: its own name leads to the folder where the imported one lies.
  func catalog(_ spec: RunSpec, _ name: ByteString) -> DatasetCatalog {
    guard let folder = spec.datasetFolder else { return catalog }
    return catalog.registering(name.string, as: "\(DatasetCatalog.packedFormat):\(folder)")
  }

  /// Opens datasets that the run reads. What could be read at the first start and cannot be now has changed.
  func opening<Opened>(_ name: ByteString, _ open: () throws -> Opened) throws -> Opened {
    do {
      return try open()
    } catch let error as DatasetError where shortage(behind: error) == nil {
      guard try folder.readInputs() != nil else { throw error }
      throw ChangedInput.unreadable(name: name, error)
    }
  }

  /// Reads the checkpoint or the model whose weights the run takes.
  ///
  /// - Parameter isKept: whether the tensor of that name is wanted.
  /// - Throws: `RunFolderError` if none is named, `CheckpointError`.
  func source(
    _ spec: RunSpec, keeping isKept: (String) -> Bool = { _ in true }
  ) throws -> Checkpoint {
    guard let path = spec.checkpointPath else {
      throw RunFolderError(
        operation: "read", subject: folder.specPath,
        cause: "it names no checkpoint or model to take weights from")
    }
    if let model = spec.model { return try Checkpoint(model: path, model) }
    return try Checkpoint(path: path, keeping: isKept)
  }

  /// Compares what the run depends on with its first start. The first start compares with what was queued,
  /// and records it. A run folder of an older version has no record: it takes what is there now.
  /// A training's checkpoint or model is compared when the run begins with it.
  ///
  /// - Throws: `ChangedInput`.
  func checkInputs(_ spec: RunSpec, of name: ByteString, _ datasets: [ImageDataset]) throws {
    guard let dataset = DatasetFingerprint(datasets) else { return }
    let now = RunInputs(dataset: dataset, checkpointSHA256: spec.checkpointSHA256)
    let recorded = try folder.readInputs()
    let then = recorded == nil ? "when the job was queued" : "at the first start"
    if let before = recorded?.dataset ?? spec.dataset {
      let differences = before.differences(from: dataset, then: then)
      guard differences.isEmpty else { throw ChangedInput.dataset(name: name, differences: differences) }
    }
    if let recorded {
      if spec.specification.kind != .train { try checkSource(spec, recorded) }
    } else {
      try folder.writeInputs(now)
    }
  }

  /// - Throws: `ChangedInput.checkpoint` if what the run takes its weights from is not what it was.
  func checkSource(_ spec: RunSpec, _ recorded: RunInputs) throws {
    guard recorded.checkpointSHA256 == spec.checkpointSHA256 else { throw ChangedInput.checkpoint }
  }
}
