import JSONText
import NeuralNet
import Recipe
import Text

/// Finds the network whose weights the tensors of a file are, by their names and shapes.
struct ModelNetwork {
  typealias Entry = SafetensorsHeader.Entry

  /// What stands before torchvision's names: nothing, or `encoder.`, as in a checkpoint.
  let prefix: String
  private let entries: [String: Entry]
  private let metadata: [String: String]

  /// Parts of a checkpoint that are not the encoder's.
  private static let otherParts = ["projector.", "predictor.", "target.", "head."]

  init(_ header: SafetensorsHeader) {
    let isCheckpoint = header.entries.contains { $0.name.hasPrefix("encoder.") }
    prefix = isCheckpoint ? "encoder." : ""
    metadata = header.metadata
    entries = Dictionary(
      header.entries.filter { entry in
        !isCheckpoint || !Self.otherParts.contains { entry.name.hasPrefix($0) }
      }.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The pointer to a tensor of the body.
  static func pointer(to name: String) -> String {
    ObjectReader.pointer(to: ByteString(name), in: "/body")
  }

  /// A tensor's type and shape for messages: `F32 [64, 3, 7, 7]`.
  static func phrase(_ entry: Entry) -> String { "\(entry.type.rawValue) \(entry.shape)" }

  /// The network and its images; `nil`: what is wrong has been noted.
  func description(_ claims: ModelClaims, _ problems: ProblemList) -> ModelDescription? {
    guard var encoder = stem(claims, problems), let architecture = architecture(claims, problems) else {
      return nil
    }
    encoder.architecture = architecture
    encoder.fc = outputs(problems)
    let known = metadata["image_size"].flatMap { Int($0) }
    let imageSize = known.flatMap { TrainSpecification.imageSizeRange.contains($0) ? $0 : nil }
    return ModelDescription(encoder: encoder, imageSize: claims.imageSize ?? imageSize)
  }

  private func entry(_ name: String) -> Entry? { entries[prefix + name] }

  /// Stem and width, which the first convolution tells.
  private func stem(_ claims: ModelClaims, _ problems: ProblemList) -> EncoderSpecification? {
    let pointer = Self.pointer(to: "\(prefix)conv1.weight")
    guard let first = entry("conv1.weight") else {
      problems.add(
        pointer, "is missing; must be there, as a model's tensors have the names of a torchvision ResNet's")
      return nil
    }
    let (shape, range) = (first.shape, EncoderSpecification.widthRange)
    guard shape.count == 4, shape[1] == 3, shape[2] == shape[3], shape[2] == 7 || shape[2] == 3,
      range.contains(shape[0]), shape[0] % 16 == 0
    else {
      problems.add(
        pointer,
        "must be [width, 3, 7, 7] or [width, 3, 3, 3] with a width that is a multiple of 16 from "
          + "\(range.lowerBound) to \(range.upperBound), got \(Self.phrase(first))")
      return nil
    }
    var encoder = EncoderSpecification(width: shape[0], stem: shape[2] == 7 ? .imagenet : .cifar)
    if let stem = claims.stem, stem != encoder.stem {
      problems.add(
        "/stem",
        "must be \"\(encoder.stem.rawValue)\", as conv1.weight is \(Self.phrase(first)), got "
          + "\"\(stem.rawValue)\"")
    }
    if let width = claims.width, width != encoder.width {
      problems.add(
        "/width", "must be \(encoder.width), as conv1.weight is \(Self.phrase(first)), got \(width)")
    }
    if encoder.stem == .cifar {
      encoder.stemBias = entry("conv1.bias") != nil
      let known = metadata["stem_padding"].flatMap { Int($0) }
      let padding = known.flatMap { EncoderSpecification.stemPaddingRange.contains($0) ? $0 : nil }
      encoder.stemPadding = claims.stemPadding ?? padding ?? Self.usualPadding(withBias: encoder.stemBias)
    } else if let padding = claims.stemPadding {
      problems.add("/stem_padding", "is allowed only with stem \"cifar\", got \(padding)")
    }
    return encoder
  }

  /// The padding of a `cifar` stem's convolution of which nothing is said: no tensor tells it, but one with a
  /// bias is that of preset `seed`, without padding, and one without is the usual 3×3 convolution of ResNets
  /// for CIFAR, which keeps the side, as in preset `small`.
  private static func usualPadding(withBias hasBias: Bool) -> Int { hasBias ? 0 : 1 }

  /// The architecture whose blocks the file has, or the nearest smaller one.
  private func architecture(
    _ claims: ModelClaims, _ problems: ProblemList
  ) -> EncoderSpecification.Architecture? {
    let blocks = (1...4).map { stage in
      var count = 0
      while entry("layer\(stage).\(count).conv1.weight") != nil { count += 1 }
      return count
    }
    let found: EncoderSpecification.Architecture =
      entry("layer1.0.conv3.weight") != nil
      ? .resnet50 : blocks[0] > 2 || blocks[2] > 2 ? .resnet34 : .resnet18
    if let claimed = claims.architecture, claimed != found {
      problems.add(
        "/arch",
        "must be \"\(found.rawValue)\", as the blocks of the tensors are, got \"\(claimed.rawValue)\"")
      return nil
    }
    for (stage, (own, known)) in zip(blocks, found.blocks).enumerated() where own > known {
      let names = EncoderSpecification.Architecture.allCases.map { "\"\($0.rawValue)\"" }
      problems.add(
        "/arch",
        "must be one of \(names.joined(separator: ", ")): layer\(stage + 1) of the tensors has \(own) "
          + "blocks, that of a \(found.rawValue) has \(known)")
      return nil
    }
    return found
  }

  /// Outputs of the final Linear; `nil`: there is none.
  private func outputs(_ problems: ProblemList) -> Int? {
    guard let linear = entry("fc.weight") ?? entry("fc.bias") else { return nil }
    let range = EncoderSpecification.outputsRange
    guard let outputs = linear.shape.first, range.contains(outputs) else {
      problems.add(
        Self.pointer(to: linear.name),
        "must have from \(range.lowerBound) to \(range.upperBound) rows, got \(Self.phrase(linear))")
      return nil
    }
    return outputs
  }

  /// Notes every tensor that is missing, does not belong there, or has another type or shape.
  ///
  /// - Returns: the tensors of the network, in the order of the file.
  func tensors(of encoder: EncoderSpecification, _ problems: ProblemList) throws -> [ModelTensor] {
    let network = try NetworkDescription(encoder, imageSide: Self.imageSide, prefix: prefix)
    var unexpected = entries
    var found: [ModelTensor] = []
    for state in network.state {
      let type = state.isCount ? "I64" : "F32"
      guard let entry = unexpected.removeValue(forKey: state.name) else {
        // Weights of before 2018 have no such counts, and nothing is computed with them.
        if !state.isCount {
          problems.add(
            Self.pointer(to: state.name), "is missing; must be \(type) \(state.shape), as the network has it")
        }
        continue
      }
      guard entry.shape == state.shape, (entry.type == .int64) == state.isCount else {
        problems.add(
          Self.pointer(to: state.name), "must be \(type) \(state.shape), got \(Self.phrase(entry))")
        continue
      }
      found.append(ModelTensor(entry: entry, state: state))
    }
    for entry in unexpected.values.sorted(by: { $0.name < $1.name }) {
      problems.add(
        Self.pointer(to: entry.name),
        "must not be there: a \(encoder.architecture.rawValue) with stem \"\(encoder.stem.rawValue)\" and "
          + "width \(encoder.width) has no such tensor, got \(Self.phrase(entry))")
    }
    return found.sorted { $0.entry.start < $1.entry.start }
  }

  /// Any side: no tensor's shape depends on it.
  private static let imageSide = 32
}

/// A tensor of a network, and where a file has it.
struct ModelTensor {
  let entry: SafetensorsHeader.Entry
  let state: StateTensor

  /// Whether a step of an optimiser changes it.
  var isParameter: Bool { state.name.hasSuffix(".weight") || state.name.hasSuffix(".bias") }

  /// Notes the first value that no network of this kind can have.
  ///
  /// - Parameter offset: of the first element among those of the tensor.
  /// - Returns: whether there was one.
  func refuses(_ elements: TensorValue.Elements, at offset: Int, _ problems: ProblemList) -> Bool {
    let wrong: (index: Int, text: String, requirement: String)?
    switch elements {
    case .int64(let counts):
      wrong = counts.firstIndex { !(0...Int64(JSON.exactIntegerMax)).contains($0) }.map {
        ($0, "\(counts[$0])", "must be from 0 to 2^53")
      }
    case .float32(let values):
      let isVariance = state.name.hasSuffix("running_var")
      wrong = values.firstIndex { !$0.isFinite || isVariance && $0 < 0 }.map {
        ($0, "\(values[$0])", isVariance ? "must have finite values ≥ 0" : "must have finite values")
      }
    }
    guard let wrong else { return false }
    problems.add(
      ModelNetwork.pointer(to: state.name),
      "\(wrong.requirement), got \(wrong.text) at element \(offset + wrong.index) of "
        + ModelNetwork.phrase(entry))
    return true
  }
}
