import JSONText
import NeuralNet
import Recipe

/// A checkpoint's model in a format of other programs.
///
/// The same checkpoint and dataset give the same bytes.
///
///     let model = try ExportedModel(checkpoint: path, part: .encoder, dataset: facts)
///     try model.write(.onnx) { try file.write($0) }
package struct ExportedModel {
  /// What is known of the dataset that a model was trained on.
  package struct Dataset: Sendable, Equatable {
    /// Mean and deviation of each channel, by which the training normalised its images; empty: not known.
    package var mean: [Double]
    package var std: [Double]
    /// Side of its images in pixels; `nil`: not known.
    package var imageSide: Int?

    package init(mean: [Double] = [], std: [Double] = [], imageSide: Int? = nil) {
      self.mean = mean
      self.std = std
      self.imageSide = imageSide
    }

    /// Whether images can be normalised by it.
    fileprivate var hasStatistics: Bool { mean.count == 3 && std.count == 3 }
  }

  private let checkpoint: Checkpoint
  private let part: ExportPart
  private let dataset: Dataset
  private let extra: [String: String]

  /// Bytes of the largest message that Protocol Buffers can hold.
  package static let onnxBytesMax = 2_147_483_647

  /// Reads the part of a checkpoint that is handed out; the optimiser's state is passed over.
  ///
  /// - Parameter metadata: entries that stand in the file next to those that follow from the checkpoint.
  /// - Throws: `CheckpointError`.
  package init(
    checkpoint path: String, part: ExportPart, dataset: Dataset, metadata: [String: String] = [:]
  ) throws(CheckpointError) {
    checkpoint = try Checkpoint(path: path) { name in
      part == .all
        ? !name.hasPrefix("optimizer.") && !name.hasPrefix("online.") : name.hasPrefix("encoder.")
    }
    self.part = part
    self.dataset = dataset
    extra = metadata
  }

  /// Passes the bytes of the file to `sink`, in order.
  ///
  /// - Throws: `ExportError` for what the format cannot hold, `CheckpointError` for a tensor that is missing,
  ///   and what the sink throws.
  package func write(_ format: ExportFormat, to sink: ([UInt8]) throws -> Void) throws {
    switch format {
    case .safetensors:
      try SafetensorsWriter.write(
        metadata: metadata.merging(["format": "pt"]) { $1 }, try named().map { TensorSource($0, $1) },
        to: sink)
    case .onnx: try onnx().write(to: sink)
    }
  }

  /// The tensors by their names in the file.
  private func named() throws -> [(String, TensorValue)] {
    let tensors = checkpoint.tensors
    for name in expected where tensors[name] == nil { throw CheckpointError.missingTensor(name) }
    if part == .all { return tensors.map { ($0.key, $0.value) } }
    return tensors.map { (String($0.key.dropFirst("encoder.".count)), $0.value) }
  }

  /// Names of the encoder's tensors in a checkpoint.
  private var expected: [String] {
    // An encoder that cannot be built was never trained: nothing of it is missing.
    (try? NetworkDescription(checkpoint.specification.encoder, imageSide: imageSide))?.state.map(\.name) ?? []
  }

  private func onnx() throws -> ProtobufMessage {
    guard dataset.hasStatistics else { throw ExportError.unknownStatistics }
    let graph = try ONNXEncoder.graph(
      of: checkpoint.specification, imageSide: imageSide, part: part, tensors: checkpoint.tensors,
      statistics: (dataset.mean, dataset.std))
    let model = graph.model(producer: "vicregd", version: extra["version"] ?? "", metadata: metadata)
    guard model.byteCount <= Self.onnxBytesMax else { throw ExportError.tooLarge(bytes: model.byteCount) }
    return model
  }

  private var imageSide: Int {
    let specification = checkpoint.specification
    return specification.viewSide(
      storedSide: dataset.imageSide ?? NetworkDescription.imageSideMin(specification.encoder))
  }

  /// What the file says of the model, as text: numbers and lists as JSON has them.
  private var metadata: [String: String] {
    let specification = checkpoint.specification
    let encoder = specification.encoder
    var metadata = extra.merging([
      "method": specification.loss.method.rawValue, "preset": specification.preset.rawValue,
      "dataset": specification.dataset.name.string, "part": part.rawValue,
      "image_size": "\(imageSide)", "arch": encoder.architecture.rawValue, "stem": encoder.stem.rawValue,
      "width": "\(encoder.width)", "fc": encoder.fc.map { "\($0)" } ?? "null",
      "step": "\(checkpoint.step)", "epoch": "\(checkpoint.epoch)", "isa": checkpoint.instructionSet,
      "spec": specification.jsonText,
    ]) { $1 }
    if let initFrom = specification.initFrom { metadata["init_from"] = initFrom.json.text }
    if encoder.stem == .cifar {
      metadata["stem_padding"] = "\(encoder.stemPadding)"
      metadata["stem_bias"] = "\(encoder.stemBias)"
    }
    if dataset.hasStatistics {
      metadata["mean"] = JSON.array(dataset.mean.map(JSON.number)).text
      metadata["std"] = JSON.array(dataset.std.map(JSON.number)).text
    }
    return metadata
  }
}

/// Why a model cannot be handed out in a format.
package enum ExportError: Error, Equatable, CustomStringConvertible {
  /// Images cannot be normalised in the graph.
  case unknownStatistics
  /// The file would be larger than the format can be.
  case tooLarge(bytes: Int)

  package var description: String {
    switch self {
    case .unknownStatistics:
      "cannot export as onnx: the training has not recorded the mean and deviation of its images; "
        + "format=safetensors needs none"
    case .tooLarge(let bytes):
      "cannot export as onnx: the file would have \(bytes) bytes, at most \(ExportedModel.onnxBytesMax) are "
        + "possible; format=safetensors has no such limit"
    }
  }
}
