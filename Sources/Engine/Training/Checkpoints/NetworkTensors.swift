import JSONText
import NeuralNet
import TensorElements
import Tensors

// The state of a network as tensors of a file, and back.

/// A tensor of a network's state: where it lies, and how a file shows it.
struct StoredTensor {
  /// The name in a PyTorch state dict.
  let name: String
  /// PyTorch's shape.
  let shape: [Int]
  /// The elements in memory.
  let value: Floats
  /// In a file a 64-bit integer, as PyTorch's `num_batches_tracked` is.
  let isCount: Bool

  /// A copy for a file.
  var tensor: TensorValue {
    TensorValue(shape: shape, isCount ? .int64(value.array.map { Int64($0) }) : .float32(value.array))
  }

  /// Takes the values of `tensor`, which must have this shape and type.
  func load(_ tensor: TensorValue) throws(CheckpointError) {
    let expected = "\(isCount ? "I64" : "F32") \(shape)"
    guard tensor.shape == shape else { throw mismatch(tensor, expected) }
    switch tensor.elements {
    case .float32(let values) where !isCount: value.copy(from: values)
    case .int64(let values) where isCount:
      // A larger number could not be written back: a float rounds it to one that is no 64-bit integer.
      guard values.allSatisfy({ (0...Int64(JSON.exactIntegerMax)).contains($0) }) else {
        throw .tensor(name: name, found: "a count outside 0 to 2^53", expected: expected)
      }
      value.copy(from: values.map { Float($0) })
    default: throw mismatch(tensor, expected)
    }
  }

  private func mismatch(_ tensor: TensorValue, _ expected: String) -> CheckpointError {
    .tensor(name: name, found: "\(tensor.type.rawValue) \(tensor.shape)", expected: expected)
  }
}

extension StoredTensor {
  init(_ parameter: Parameter) {
    self.init(name: parameter.name, shape: parameter.shape, value: parameter.value, isCount: false)
  }

  init(_ buffer: Buffer) {
    self.init(name: buffer.name, shape: buffer.shape, value: buffer.value, isCount: buffer.isCount)
  }

  init(_ state: Optimizer.StateTensor) {
    self.init(name: state.name, shape: state.shape, value: state.value, isCount: false)
  }
}

extension TensorSource {
  /// A part of a network's state, which must not change until the file is written.
  init(_ state: StoredTensor) {
    if state.isCount {
      self.init(state.name, state.tensor)
    } else {
      self.init(state.name, shape: state.shape, state.value)
    }
  }
}

extension [StoredTensor] {
  /// Copies for a file, by name.
  var tensors: [String: TensorValue] {
    var tensors: [String: TensorValue] = [:]
    for state in self { tensors[state.name] = state.tensor }
    return tensors
  }

  /// Takes all values from `tensors`; with `strictly`, nothing else may be there.
  func load(_ tensors: [String: TensorValue], strictly: Bool) throws(CheckpointError) {
    for state in self {
      guard let tensor = tensors[state.name] else { throw .missingTensor(state.name) }
      try state.load(tensor)
    }
    if strictly, tensors.count != count {
      let known = Set(map(\.name))
      throw .unknownTensors(tensors.keys.filter { !known.contains($0) }.sorted())
    }
  }
}
