import Crypto
import JSONText
import Platform
import Recipe
import Text

/// What a run depends on outside its folder, as it was at its first start: the content of `inputs.json`. A
/// later start that finds something else must not go on.
package struct RunInputs: Sendable, Equatable {
  package var dataset: DatasetFingerprint
  /// SHA-256 of the checkpoint's file that is evaluated or begun with; `nil`: there is none.
  package var checkpointSHA256: ByteString?

  package init(dataset: DatasetFingerprint, checkpointSHA256: ByteString? = nil) {
    self.dataset = dataset
    self.checkpointSHA256 = checkpointSHA256
  }

  /// The content of `inputs.json`.
  package var json: JSON {
    ["dataset": dataset.json, "checkpoint_sha256": .optional(checkpointSHA256)]
  }

  /// Reads the content of `inputs.json`; `nil`: a member is missing or wrong.
  package init?(json: JSON) {
    guard let dataset = json["dataset"].flatMap(DatasetFingerprint.init(json:)) else { return nil }
    self.init(dataset: dataset, checkpointSHA256: json["checkpoint_sha256"]?.string)
  }
}

extension RunFolder {
  /// What the run depends on, as its first start found it.
  package var inputsPath: String { "\(path)/inputs.json" }

  /// Records what the run depends on, durable when this returns.
  package func writeInputs(_ inputs: RunInputs) throws(SystemError) {
    try AtomicFile.write(inputs.json.utf8, to: inputsPath)
  }

  /// Reads what the run depends on; `nil` before a start has recorded it.
  ///
  /// - Throws: `RunFolderError`.
  package func readInputs() throws(RunFolderError) -> RunInputs? {
    guard FileSystem.exists(inputsPath) else { return nil }
    let json: JSON
    do {
      json = try JSON.parse(File.content(of: inputsPath, .runInputs))
    } catch {
      throw RunFolderError(
        operation: "read", subject: inputsPath, cause: "\(error)", system: error as? SystemError)
    }
    guard let inputs = RunInputs(json: json) else {
      throw RunFolderError(
        operation: "read", subject: inputsPath, cause: "a member is missing or out of range")
    }
    return inputs
  }
}

extension DatasetFingerprint {
  /// One SHA-256 in hexadecimal over the classes, the sizes, and the pixels and labels of every split.
  package var digest: String {
    var identity = self
    // They follow from the rest, up to the rounding of their sums.
    (identity.mean, identity.std) = ([], [])
    return hexadecimal(SHA256.digest(of: identity.json.utf8))
  }
}
