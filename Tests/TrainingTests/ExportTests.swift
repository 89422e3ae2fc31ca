import Gzip
import JSONText
import NeuralNet
import Platform
import Recipe
import Testing
import Text

@testable import Training

/// What ONNX and PyTorch make of these files is checked by `Scripts/check_export.py`.
@Suite struct `Files for other programs` {
  private static let dataset = ExportedModel.Dataset(
    mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6], imageSide: 16)

  /// An untrained model's checkpoint in a file of its own.
  private static func checkpoint(_ specification: TrainSpecification) throws -> (path: String, Checkpoint) {
    let checkpoint = try Tiny.training(specification).checkpoint()
    var bytes: [UInt8] = []
    try CheckpointFormat.write(checkpoint.file) { bytes += $0 }
    let path = "\(FileSystem.temporaryDirectory)/export-\(UInt64.random(in: .min ... .max)).gz"
    try AtomicFile.write(bytes, to: path)
    return (path, checkpoint)
  }

  private static func bytes(_ path: String, _ format: ExportFormat, _ part: ExportPart) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try ExportedModel(checkpoint: path, part: part, dataset: dataset, metadata: ["version": "1.2.3"])
      .write(format) { bytes += $0 }
    return bytes
  }

  private static func read(_ bytes: [UInt8]) throws -> TensorFile {
    var rest = bytes[...]
    return try SafetensorsReader.read(from: { count in
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    })
  }

  @Test func `have the encoder's tensors by torchvision's names, bit for bit`() throws {
    let (path, checkpoint) = try Self.checkpoint(Tiny.specification)
    defer { try? FileSystem.remove(path) }
    let file = try Self.read(Self.bytes(path, .safetensors, .encoder))
    let network = try NetworkDescription(checkpoint.specification.encoder, imageSide: 16, prefix: "")
    #expect(Set(file.tensors.keys) == Set(network.state.map(\.name)))
    for (name, value) in file.tensors { #expect(checkpoint.tensors["encoder.\(name)"] == value, "\(name)") }
    #expect(file.metadata["mean"] == "[0.1,0.2,0.3]" && file.metadata["format"] == "pt")
    for (key, value) in [
      ("method", "vicreg"), ("preset", "small"), ("arch", "resnet18"), ("stem", "cifar"), ("width", "16"),
      ("fc", "null"), ("image_size", "16"), ("part", "encoder"), ("version", "1.2.3"), ("step", "0"),
    ] {
      #expect(file.metadata[key] == value, "\(key)")
    }
  }

  @Test func `have the whole model without its optimiser where all of it is asked for`() throws {
    let specification = try TrainSpecification.parse([
      "preset": "small", "method": "byol", "dataset": ["name": .string(ByteString(Tiny.dataset))],
      "encoder": ["width": 16], "projector": ["widths": [32, 32]], "predictor": ["widths": [32, 32]],
      "batch_size": 16,
    ])
    let (path, checkpoint) = try Self.checkpoint(specification)
    defer { try? FileSystem.remove(path) }
    let file = try Self.read(Self.bytes(path, .safetensors, .all))
    #expect(file.tensors == checkpoint.tensors.filter { !$0.key.hasPrefix("optimizer.") })
    #expect(file.tensors["target.encoder.conv1.weight"] != nil && file.tensors["predictor.0.weight"] != nil)
  }

  @Test func `are a graph whose operators are those of the network`() throws {
    let (path, checkpoint) = try Self.checkpoint(Tiny.specification)
    defer { try? FileSystem.remove(path) }
    let model = ProtobufReader.fields(try Self.bytes(path, .onnx, .all)[...])
    let graph = ProtobufReader.fields(try #require(model.first { $0.number == 7 }).bytes)
    let operations = graph.filter { $0.number == 1 }.map { node in
      ProtobufReader.fields(node.bytes).first { $0.number == 4 }?.text ?? ""
    }
    let network = try NetworkDescription(checkpoint.specification.encoder, imageSide: 16, prefix: "")
    let convolutions = 1 + network.blocks.reduce(0) { $0 + $1.units.count + ($1.shortcut == nil ? 0 : 1) }
    #expect(operations.prefix(5) == ["Sub", "Div", "Conv", "BatchNormalization", "Relu"])
    #expect(operations.count { $0 == "Conv" } == convolutions)
    #expect(operations.count { $0 == "BatchNormalization" } == convolutions + 1)
    #expect(operations.count { $0 == "Gemm" } == 2 && operations.count { $0 == "Add" } == 8)
    let outputs = graph.filter { $0.number == 12 }.map { ProtobufReader.fields($0.bytes)[0].text }
    #expect(outputs == ["pooled", "embedding"])
    let constants = graph.filter { $0.number == 5 }.map { tensor in
      ProtobufReader.fields(tensor.bytes).first { $0.number == 8 }?.text ?? ""
    }
    let encoder = network.state.filter { !$0.isCount }.map(\.name)
    let projector = checkpoint.tensors.keys.filter {
      $0.hasPrefix("projector.") && !$0.hasSuffix("num_batches_tracked")
    }
    #expect(constants.sorted() == (encoder + projector + ["mean", "std"]).sorted())
  }

  @Test func `are refused without what normalises images`() throws {
    let (path, _) = try Self.checkpoint(Tiny.specification)
    defer { try? FileSystem.remove(path) }
    let model = try ExportedModel(checkpoint: path, part: .encoder, dataset: ExportedModel.Dataset())
    #expect(throws: ExportError.unknownStatistics) { try model.write(.onnx) { _ in } }
  }

  @Test func `encode Protocol Buffers as their documentation shows`() {
    var message = ProtobufMessage()
    message.add(1, 150)
    var outer = ProtobufMessage()
    outer.add(2, "testing")
    outer.add(3, message)
    outer.add(4, Float(1))
    outer.add(5, elementsOf: TensorSource("t", TensorValue(shape: [2], .float32([1, -2]))))
    outer.add(6, -1)
    var around = ProtobufMessage()
    around.add(7, outer)
    var bytes: [UInt8] = []
    around.write { bytes += $0 }
    let inner: [UInt8] =
      [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67, 0x1A, 0x03, 0x08, 0x96, 0x01]
      + [0x25, 0, 0, 0x80, 0x3F, 0x2A, 8, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 0x30]
      + [UInt8](repeating: 0xFF, count: 9) + [0x01]
    #expect(bytes == [0x3A, UInt8(inner.count)] + inner)
    #expect(around.byteCount == bytes.count)
  }
}

/// Takes a message of Protocol Buffers apart, far enough for these tests.
private enum ProtobufReader {
  struct Field {
    let number: Int
    let bytes: ArraySlice<UInt8>
    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  static func fields(_ bytes: ArraySlice<UInt8>) -> [Field] {
    var rest = bytes
    func varint() -> Int {
      var (value, shift) = (0, 0)
      while let byte = rest.popFirst() {
        value |= Int(byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 { break }
      }
      return value
    }
    var fields: [Field] = []
    while !rest.isEmpty {
      let key = varint()
      let count: Int
      switch key & 7 {
      case 0:
        fields.append(Field(number: key >> 3, bytes: [UInt8(truncatingIfNeeded: varint())]))
        continue
      case 5: count = 4
      default: count = varint()
      }
      fields.append(Field(number: key >> 3, bytes: rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return fields
  }
}
