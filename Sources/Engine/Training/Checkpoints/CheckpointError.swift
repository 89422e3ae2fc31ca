/// A tensor file that cannot be used as the checkpoint that was asked for.
package enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// The file at `path` cannot be read as one.
  case unreadable(path: String, String)
  /// The entry `key` of the metadata is missing or not what it should be.
  case metadata(key: String, String)
  /// The file was written for another version of this program.
  case version(String)
  /// A tensor of the network or the optimiser is not in the file.
  case missingTensor(String)
  /// A tensor has another shape or type than the network's.
  case tensor(name: String, found: String, expected: String)
  /// The file holds tensors that the network does not have.
  case unknownTensors([String])
  /// The checkpoint belongs to a run with another specification.
  case otherSpecification

  package var description: String {
    switch self {
    case .unreadable(let path, let cause): "cannot use the checkpoint \(path): \(cause)"
    case .metadata(let key, let what): "cannot use the checkpoint: its metadata's \"\(key)\" \(what)"
    case .version(let found):
      "cannot use the checkpoint: its format is \(found), this program reads \(CheckpointFormat.version)"
    case .missingTensor(let name): "cannot use the checkpoint: tensor \"\(name)\" is missing"
    case .tensor(let name, let found, let expected):
      "cannot use the checkpoint: tensor \"\(name)\" is \(found), the network's is \(expected)"
    case .unknownTensors(let names):
      "cannot use the checkpoint: the network has no tensor \(names.joined(separator: ", "))"
    case .otherSpecification: "cannot resume: the checkpoint was written by a run with another specification"
    }
  }
}
