import JSONText
import NeuralNet
import Platform
import Recipe
import Testing
import Text

@testable import Training

/// Files of models that come from outside (issue 17). What PyTorch writes is checked by
/// `Scripts/check_export.py`.
@Suite struct `A model's file` {
  private typealias Parts = (header: [String: JSON], data: [UInt8])

  /// Tensors of a network by torchvision's names, each with values of its own.
  private static func tensors(
    _ encoder: EncoderSpecification, prefix: String = ""
  ) throws -> [String: TensorValue] {
    var tensors: [String: TensorValue] = [:]
    for state in try NetworkDescription(encoder, imageSide: 32, prefix: prefix).state {
      if state.isCount {
        tensors[state.name] = TensorValue(shape: [], .int64([3]))
        continue
      }
      let (first, base) = (tensors.count, Float(state.name.hasSuffix("running_var") ? 1 : 0))
      let values = (0..<state.shape.reduce(1, *)).map { base + Float(($0 * 7 + first) % 13 - 6) / 60 }
      tensors[state.name] = TensorValue(shape: state.shape, .float32(values))
    }
    return tensors
  }

  private static let small = EncoderSpecification(width: 16, stem: .imagenet, fc: 10)

  /// Calls `body` with the path of a file of its own.
  private static func withFile<Value>(
    _ bytes: [UInt8], _ body: (String) throws -> Value
  ) throws -> Value {
    let path = "\(FileSystem.temporaryDirectory)/model-\(UInt64.random(in: .min ... .max)).safetensors"
    try AtomicFile.write(bytes, to: path)
    // A file that stays in the temporary folder harms nobody.
    defer { try? FileSystem.remove(path) }
    return try body(path)
  }

  private static func bytes(_ tensors: [String: TensorValue], metadata: [String: String] = [:]) -> [UInt8] {
    var bytes: [UInt8] = []
    SafetensorsWriter.write(TensorFile(metadata: metadata, tensors: tensors)) { bytes += $0 }
    return bytes
  }

  private static func check(_ bytes: [UInt8], _ claims: ModelClaims = ModelClaims()) throws -> ModelFinding {
    try withFile(bytes) { try ModelFile.check($0, claims) }
  }

  /// What is said of a file that is wrong, by pointer.
  private static func problems(
    _ bytes: [UInt8], _ claims: ModelClaims = ModelClaims()
  ) throws -> [String: String] {
    do {
      _ = try check(bytes, claims)
      return [:]
    } catch let error as SpecificationProblems {
      return Dictionary(
        error.problems.map { ($0.pointer, $0.message) }, uniquingKeysWith: { "\($0); \($1)" })
    }
  }

  /// The parts of a file, so that its header can be changed.
  private static func parts(_ bytes: [UInt8]) throws -> Parts {
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSON.parse(Array(bytes[8..<(8 + length)])).object ?? [:]
    return (
      Dictionary(uniqueKeysWithValues: header.map { ($0.key.string, $0.value) }),
      Array(bytes[(8 + length)...])
    )
  }

  private static func bytes(_ parts: Parts) -> [UInt8] {
    let text = Array(
      JSON.object(Dictionary(uniqueKeysWithValues: parts.header.map { (ByteString($0.key), $0.value) })).text
        .utf8)
    let length = UInt64(text.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + text + parts.data
  }

  @Test(arguments: [
    (EncoderSpecification(architecture: .resnet18, width: 64, stem: .imagenet, fc: 1000), 11_689_512),
    (EncoderSpecification(architecture: .resnet34, width: 16, stem: .imagenet, fc: nil), 1_335_248),
    (
      EncoderSpecification(
        architecture: .resnet50, width: 16, stem: .cifar, stemPadding: 1, stemBias: false, fc: 7),
      1_482_647
    ),
  ])
  func `tells its network and counts its parameters as PyTorch does`(
    encoder: EncoderSpecification, count: Int
  ) throws {
    let finding = try Self.check(Self.bytes(try Self.tensors(encoder)))
    #expect(finding.description == ModelDescription(encoder: encoder))
    #expect(finding.parameterCount == count)
  }

  @Test(arguments: [(true, nil, nil, 0), (false, nil, nil, 1), (false, "2", nil, 2), (true, "1", 2, 2)])
  func `has the padding that is asked for, else its own, else the usual one`(
    hasBias: Bool, metadata: String?, claimed: Int?, expected: Int
  ) throws {
    let encoder = EncoderSpecification(width: 16, stem: .cifar, stemBias: hasBias, fc: nil)
    let bytes = Self.bytes(
      try Self.tensors(encoder), metadata: metadata.map { ["stem_padding": $0] } ?? [:])
    let found = try Self.check(bytes, ModelClaims(stemPadding: claimed)).description.encoder
    #expect(found.stemPadding == expected && found.stemBias == hasBias)
  }

  @Test func `is taken as an export writes it, with all parts, and says side and padding itself`() throws {
    let encoder = EncoderSpecification(width: 16, stem: .cifar, stemPadding: 1, stemBias: true, fc: nil)
    var tensors = try Self.tensors(encoder, prefix: "encoder.")
    tensors["projector.0.weight"] = TensorValue(shape: [1], .float32([.nan]))
    tensors["target.encoder.conv1.weight"] = TensorValue(shape: [1], .float32([1]))
    let bytes = Self.bytes(tensors, metadata: ["image_size": "64", "stem_padding": "1"])
    #expect(try Self.check(bytes).description == ModelDescription(encoder: encoder, imageSize: 64))
    let claims = ModelClaims(
      architecture: .resnet18, stem: .cifar, width: 16, stemPadding: 2, imageSize: 48)
    let claimed = try Self.check(bytes, claims).description
    #expect(claimed.imageSize == 48 && claimed.encoder.stemPadding == 2)
    let read = try Self.withFile(bytes) { try Checkpoint(model: $0, claimed) }
    #expect(read.tensors == tensors.filter { $0.key.hasPrefix("encoder.") })
    #expect(read.specification.encoder == claimed.encoder && !read.specification.hasProjector)
  }

  @Test func `may have short floats, which keep their values, and lack counts`() throws {
    var parts = try Self.parts(Self.bytes(try Self.tensors(Self.small)))
    var data: [UInt8] = []
    let entries = parts.header.sorted {
      ($0.value["data_offsets"]?.array?.first?.int ?? 0) < ($1.value["data_offsets"]?.array?.first?.int ?? 0)
    }
    for (name, entry) in entries {
      let range = (entry["data_offsets"]?.array ?? []).compactMap(\.int)
      if entry["dtype"] == "I64" {
        parts.header[name] = nil
        continue
      }
      let isShort = name.hasSuffix("running_mean")
      let start = data.count
      for place in stride(from: range[0], to: range[1], by: 4) {
        let pattern = parts.data[place..<(place + 4)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let value = Float(bitPattern: pattern)
        let short = isShort ? UInt16(pattern >> 16) : Float16(value).bitPattern
        data += [UInt8(truncatingIfNeeded: short), UInt8(short >> 8)]
      }
      parts.header[name] = [
        "dtype": isShort ? "BF16" : "F16", "shape": entry["shape"] ?? .null,
        "data_offsets": [.integer(start), .integer(data.count)],
      ]
    }
    parts.data = data
    try Self.withFile(Self.bytes(parts)) { path in
      let finding = try ModelFile.check(path, ModelClaims())
      let read = try Checkpoint(model: path, finding.description).tensors
      #expect(read["encoder.bn1.num_batches_tracked"] == TensorValue(shape: [], .int64([0])))
      guard case .float32(let values)? = read["encoder.fc.weight"]?.elements,
        case .float32(let known)? = try Self.tensors(Self.small)["fc.weight"]?.elements
      else {
        Issue.record("fc.weight is missing")
        return
      }
      #expect(values == known.map { Float(Float16($0)) })
    }
  }

  @Test func `is refused with every tensor that is missing, strange or of another shape or type`() throws {
    var tensors = try Self.tensors(Self.small)
    tensors["layer1.0.conv2.weight"] = nil
    tensors["layer2.0.bn1.bias"] = TensorValue(shape: [31], .float32(Array(repeating: 0, count: 31)))
    tensors["layer3.0.bn2.weight"] = TensorValue(shape: [64], .int64(Array(repeating: 1, count: 64)))
    tensors["layer4.0.strange"] = TensorValue(shape: [2], .float32([1, 2]))
    tensors["bn1.num_batches_tracked"] = TensorValue(shape: [1], .int64([1]))
    tensors["fc.bias"] = nil
    let problems = try Self.problems(Self.bytes(tensors))
    #expect(
      problems == [
        "/body/layer1.0.conv2.weight": "is missing; must be F32 [16, 16, 3, 3], as the network has it",
        "/body/layer2.0.bn1.bias": "must be F32 [32], got F32 [31]",
        "/body/layer3.0.bn2.weight": "must be F32 [64], got I64 [64]",
        "/body/layer4.0.strange":
          "must not be there: a resnet18 with stem \"imagenet\" and width 16 has no such tensor, got F32 [2]",
        "/body/bn1.num_batches_tracked": "must be I64 [], got I64 [1]",
        "/body/fc.bias": "is missing; must be F32 [10], as the network has it",
      ])
  }

  @Test(arguments: [
    ("bn1.running_var", Float(-1), "must have finite values ≥ 0, got -1.0 at element 3 of F32 [16]"),
    ("bn1.running_mean", .nan, "must have finite values, got nan at element 3 of F32 [16]"),
    ("fc.weight", -.infinity, "must have finite values, got -inf at element 3 of F32 [10, 128]"),
  ])
  func `is refused for a value that no network has`(name: String, value: Float, message: String) throws {
    var tensors = try Self.tensors(Self.small)
    let tensor = try #require(tensors[name])
    guard case .float32(var values) = tensor.elements else { return }
    values[3] = value
    tensors[name] = TensorValue(shape: tensor.shape, .float32(values))
    #expect(try Self.problems(Self.bytes(tensors)) == ["/body/\(name)": message])
  }

  @Test func `must agree with what is said of it`() throws {
    let bytes = Self.bytes(try Self.tensors(Self.small))
    #expect(
      Set(try Self.problems(bytes, ModelClaims(stem: .cifar, width: 64, stemPadding: 1)).keys)
        == ["/stem", "/width", "/stem_padding"])
    #expect(
      try Self.problems(bytes, ModelClaims(architecture: .resnet50))["/arch"]
        == "must be \"resnet18\", as the blocks of the tensors are, got \"resnet50\"")
  }

  @Test func `of another network is refused by what tells it`() throws {
    var deep = try Self.tensors(EncoderSpecification(architecture: .resnet50, width: 16, stem: .imagenet))
    deep["layer3.6.conv1.weight"] = TensorValue(shape: [1], .float32([1]))
    let message = try Self.problems(Self.bytes(deep))["/arch"]
    #expect(message?.contains("layer3 of the tensors has 7 blocks, that of a resnet50 has 6") == true)
    let other = ["cls_token": TensorValue(shape: [1], .float32([1]))]
    #expect(try Self.problems(Self.bytes(other)).keys.map { $0 } == ["/body/conv1.weight"])
    #expect(try Self.problems(Self.bytes([:])).keys.map { $0 } == ["/body/conv1.weight"])
    for shape in [
      [16, 1, 7, 7], [16, 3, 5, 5], [20, 3, 7, 7], [16, 3, 7, 3], [16, 147], [1024, 3, 3, 3],
    ] {
      var tensors = try Self.tensors(Self.small)
      let count = shape.reduce(1, *)
      tensors["conv1.weight"] = TensorValue(shape: shape, .float32(Array(repeating: 0, count: count)))
      let problems = try Self.problems(Self.bytes(tensors))
      #expect(problems.keys.map { $0 } == ["/body/conv1.weight"], "\(problems)")
      #expect(problems.values.first?.hasSuffix("got F32 \(shape)") == true, "\(problems)")
    }
  }

  @Test func `must be a whole safetensors file whose header tells the truth`() throws {
    let whole = Self.bytes(try Self.tensors(Self.small))
    let parts = try Self.parts(whole)
    func changed(_ name: String, _ key: String, _ value: JSON) -> [UInt8] {
      var (header, data) = parts
      var entry = header[name]?.object ?? [:]
      entry[ByteString(key)] = value
      header[name] = .object(entry)
      if key == "more" { data += [0] }
      return Self.bytes((header, data))
    }
    for (bytes, pointer, said) in [
      (Array(whole.prefix(3)), "/body", "ends at byte 3"),
      (Array(whole.prefix(200)), "/body", "ends at byte 200"),
      (Array(whole.dropLast()), "/body", "ends at byte \(whole.count - 1)"),
      (whole + [0], "/body", "bytes follow the last tensor"),
      ([UInt8](repeating: 0xFF, count: 64), "/body", "give a header of"),
      (Array("PK\u{3}\u{4} is not one, but long enough".utf8), "/body", "give a header of"),
      ([2, 0, 0, 0, 0, 0, 0, 0] + Array("[]".utf8), "/body", "does not begin with {"),
      (changed("fc.weight", "dtype", "F64"), "/body/fc.weight", "F32, F16, BF16, I64, got \"F64\""),
      (changed("fc.weight", "dtype", nil), "/body/fc.weight", "F32, F16, BF16, I64, got null"),
      (changed("fc.weight", "shape", [10, 129]), "/body/fc.weight", "where its shape needs"),
      (changed("fc.weight", "shape", [-10, 128]), "/body/fc.weight", "natural numbers"),
      (changed("fc.weight", "data_offsets", [0, 5_120]), "/body/", "begins at data byte 0"),
      (changed("fc.weight", "data_offsets", [0, 1_000_000_000_000]), "/body/fc.weight", "bytes of data"),
    ] {
      let problems = try Self.problems(bytes)
      #expect(problems.keys.count == 1 && problems.keys.first?.hasPrefix(pointer) == true, "\(problems)")
      #expect(problems.values.first?.contains(said) == true, "\(said): \(problems)")
    }
  }

  @Test func `gives a training its bits, and an export gives them back`() throws {
    var specification = Tiny.specification
    specification.encoder = EncoderSpecification(width: 16, stem: .imagenet, fc: nil)
    specification.initFrom = InitialWeights(CheckpointReference(model: "m"))
    let tensors = try Self.tensors(Self.small)
    let checkpoint = try Self.withFile(Self.bytes(tensors)) {
      try Checkpoint(model: $0, ModelDescription(encoder: Self.small))
    }
    let training = try Pretraining(
      specification, dataset: Tiny.open(), threads: 1, beginningWith: checkpoint)
    let state = training.checkpoint().tensors.filter { $0.key.hasPrefix("encoder.") }
    #expect(state.count == tensors.count - 2)
    for (name, value) in state { #expect(tensors[String(name.dropFirst(8))] == value, "\(name)") }
  }

  @Test func `is evaluated without a preset or method, and has no embedding`() throws {
    let description = ModelDescription(encoder: Self.small, imageSize: 32)
    let checkpoint = try Self.withFile(Self.bytes(try Self.tensors(Self.small))) {
      try Checkpoint(model: $0, description)
    }
    let dataset = "synthetic:classes=3,side=16,count=96,test=48,seed=5"
    func evaluation(_ layer: EvaluationLayer) throws -> Evaluation {
      let specification = EvaluateSpecification(
        checkpoint: CheckpointReference(model: "mine"), protocol: .knn,
        dataset: EvaluationDataset(name: ByteString(dataset)), baselines: true, layer: layer)
      return try Evaluation(
        specification, checkpoint: checkpoint, train: Tiny.open(dataset, .train),
        test: Tiny.open(dataset, .test), threads: 1)
    }
    for layer in [EvaluationLayer.pooled, .fc] {
      guard case .finished(let result) = try evaluation(layer).run(Recorder()) else { return }
      #expect(result.json["model"] == "mine" && result.json["layer"] == .string(layer.rawValue))
      #expect(result.json["preset"] == nil && result.json["method"] == nil)
    }
    #expect(throws: TrainingError.missingLayer("embedding")) { try evaluation(.embedding) }
  }
}
