import JSONText
import NeuralNet
import Platform
import Recipe

/// A safetensors file from outside that holds an encoder by torchvision's names, alone or as `encoder.` of a
/// checkpoint.
///
/// Nothing of it is believed: `check` reads it from the first byte to the last, piece by piece, so that it
/// needs little memory whatever the file says of itself.
package enum ModelFile {
  /// Bytes of the longest header that is read: some ten times that of a ResNet-50.
  package static let headerBytesMax = 1 << 20
  /// Bytes of a tensor that are in memory at a time.
  private static let pieceBytes = 1 << 20
  /// What tensors may be: floats that are widened, and counts.
  private static let types: [SafetensorsHeader.ElementType] = [.float32, .float16, .bfloat16, .int64]

  /// Checks a whole file.
  ///
  /// - Parameter claims: what is said of the model, which must agree with the tensors.
  /// - Throws: `SpecificationProblems` with everything that is wrong, each with a pointer to the parameter or
  ///   to `/body/TENSOR`; `SystemError`.
  package static func check(_ path: String, _ claims: ModelClaims) throws -> ModelFinding {
    let file = try File(path, .read, links: .refused)
    let (header, dataStart) = try header(of: file)
    let problems = ProblemList()
    let network = ModelNetwork(header)
    guard let description = network.description(claims, problems) else {
      try problems.check()
      preconditionFailure("a network that is not found is a problem")
    }
    let tensors = try network.tensors(of: description.encoder, problems)
    try problems.check()
    for tensor in tensors { try checkValues(of: tensor, file, dataStart, problems) }
    try problems.check()
    return ModelFinding(
      description: description,
      parameterCount: tensors.reduce(0) { $0 + ($1.isParameter ? $1.entry.shape.reduce(1, *) : 0) })
  }

  /// The header of a file whose size is what the header says, and where the data begins.
  private static func header(of file: File) throws -> (SafetensorsHeader, dataStart: Int) {
    do {
      let size = try file.size()
      let first = try file.read(at: 0, countMax: 8)
      guard first.count == 8 else {
        throw SafetensorsError.truncated(
          part: "the header's length", offset: first.count, expectedBytes: 8 - first.count)
      }
      let length = try SafetensorsReader.headerLength(first, max: headerBytesMax)
      let text = try file.read(at: 8, countMax: length)
      guard text.count == length else {
        throw SafetensorsError.truncated(
          part: "the header", offset: 8 + text.count, expectedBytes: length - text.count)
      }
      let header = try SafetensorsHeader(text, types: types)
      let data = header.entries.last?.end ?? 0
      if size < 8 + length + data {
        let cut = header.entries.first { 8 + length + $0.end > size }?.name ?? ""
        throw SafetensorsError.truncated(
          part: "tensor \"\(cut)\"", offset: size, expectedBytes: 8 + length + data - size)
      }
      if size > 8 + length + data { throw SafetensorsError.trailingBytes(offset: 8 + length + data) }
      return (header, 8 + length)
    } catch let error as SafetensorsError {
      let message = "must be a safetensors file: \(error)"
      if case .tensor(let name, _) = error {
        throw SpecificationProblems([(ModelNetwork.pointer(to: name), message)])
      }
      throw SpecificationProblems([("/body", message)])
    }
  }

  private static func checkValues(
    of tensor: ModelTensor, _ file: File, _ dataStart: Int, _ problems: ProblemList
  ) throws {
    let entry = tensor.entry
    for start in stride(from: 0, to: entry.byteCount, by: pieceBytes) {
      let count = min(pieceBytes, entry.byteCount - start)
      let bytes = try file.read(at: dataStart + entry.start + start, countMax: count)
      guard bytes.count == count else {
        throw SpecificationProblems([("/body", "must not change while it is read")])
      }
      let elements = entry.type.elements(of: bytes)
      if tensor.refuses(elements, at: start / entry.type.bytes, problems) { return }
    }
  }

  /// Reads a file that was checked.
  ///
  /// - Returns: the encoder's tensors by their names in a checkpoint; counts that the file lacks are 0.
  /// - Throws: `CheckpointError`.
  static func tensors(
    _ path: String, of description: ModelDescription
  ) throws(CheckpointError) -> [String: TensorValue] {
    do {
      let network = try NetworkDescription(description.encoder, imageSide: 32)
      let known = Dictionary(uniqueKeysWithValues: network.state.map { ($0.name, $0) })
      func name(_ own: String) -> String { own.hasPrefix("encoder.") ? own : "encoder.\(own)" }
      let file = try File(path, .read, links: .refused)
      var offset = 0
      let read = try SafetensorsReader.read(
        from: { count in
          let bytes = try file.read(at: offset, countMax: count)
          offset += bytes.count
          return bytes
        }, types: types, keeping: { known[name($0)] != nil })
      var tensors: [String: TensorValue] = [:]
      for (own, value) in read.tensors { tensors[name(own)] = value }
      for state in network.state where state.isCount && tensors[state.name] == nil {
        tensors[state.name] = TensorValue(shape: [], .int64([0]))
      }
      return tensors
    } catch {
      throw .unreadable(path: path, "\(error)")
    }
  }
}

extension Checkpoint {
  /// Reads a model in the place of a checkpoint: one of step 0, of a training that could have made it.
  ///
  /// - Throws: `CheckpointError` for a file that is not the model's.
  package init(model path: String, _ description: ModelDescription) throws(CheckpointError) {
    self.init(
      step: 0, epoch: 0, position: 0, specification: description.training, instructionSet: "",
      tensors: try ModelFile.tensors(path, of: description))
  }
}
