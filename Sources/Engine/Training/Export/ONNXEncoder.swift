import NeuralNet
import Recipe

/// An encoder in eval mode as ONNX operators, and after it the projector or the head where they are asked
/// for.
///
/// Input `images`: `[batch, 3, S, S]` in [0, 1]; they are normalised inside. Outputs: `pooled`, `fc` where
/// the encoder has one, and with `ExportPart.all` the projector's `embedding` or the head's `logits`. Weights
/// have their torchvision names.
struct ONNXEncoder {
  /// Added to a variance before its square root, as everywhere in the engine.
  private static let epsilon: Float = 1e-5

  private var graph = ONNXGraph(name: "encoder")
  private let tensors: [String: TensorValue]
  /// What the names of the encoder's tensors begin with.
  private let prefix = "encoder."

  /// - Parameter tensors: a checkpoint's.
  private init(tensors: [String: TensorValue]) { self.tensors = tensors }

  /// The graph of a trained model.
  ///
  /// - Parameter statistics: mean and deviation of each channel, by which the training normalised its images.
  /// - Throws: `CheckpointError` for a tensor that is missing or has another shape.
  static func graph(
    of specification: TrainSpecification, imageSide: Int, part: ExportPart, tensors: [String: TensorValue],
    statistics: (mean: [Double], std: [Double])
  ) throws -> ONNXGraph {
    let network = try NetworkDescription(specification.encoder, imageSide: imageSide, prefix: "")
    var encoder = ONNXEncoder(tensors: tensors)
    let features = try encoder.add(network, statistics)
    guard part == .all else { return encoder.graph }
    if specification.hasProjector {
      try encoder.add(specification.projector, to: features.name, inputs: features.count)
    } else if specification.loss.method == .supervised {
      try encoder.addHead(to: features.name, inputs: features.count)
    }
    return encoder.graph
  }

  /// Adds the network; returns its last value, and how many numbers of an image that has.
  private mutating func add(
    _ network: NetworkDescription, _ statistics: (mean: [Double], std: [Double])
  ) throws -> (name: String, count: Int) {
    let nodes = network.nodes
    var names: [String] = []
    for (index, node) in nodes.enumerated() {
      let inputs = node.inputs.map { names[$0] }
      names.append(try add(node, "value\(index)", inputs, nodes[node.inputs.first ?? index], statistics))
    }
    return (names.last ?? "", network.fc?.outputs ?? network.pooledCount)
  }

  /// Adds an operator of the network; returns the name of its value.
  private mutating func add(
    _ node: NetworkDescription.Node, _ name: String, _ inputs: [String], _ source: NetworkDescription.Node,
    _ statistics: (mean: [Double], std: [Double])
  ) throws -> String {
    switch node.operation {
    case .images:
      graph.input("images", [.batch, .fixed(node.channels), .fixed(node.side), .fixed(node.side)])
      return normalized("images", channels: node.channels, statistics)
    case .convolution(let kernel, let stride, let padding, let hasBias):
      var operands = [
        try weight("\(node.name).weight", [node.channels, source.channels, kernel, kernel])
      ]
      if hasBias { operands.append(try weight("\(node.name).bias", [node.channels])) }
      return graph.node(
        "Conv", inputs + operands, name,
        [
          .integers("kernel_shape", [kernel, kernel]), .integers("strides", [stride, stride]),
          .integers("pads", Array(repeating: padding, count: 4)),
        ])
    case .batchNorm: return try addNorm(node.name, of: inputs, name, channels: node.channels)
    case .relu: return graph.node("Relu", inputs, name)
    case .add: return graph.node("Add", inputs, name)
    case .maxPool(let window):
      return graph.node(
        "MaxPool", inputs, name,
        [
          .integers("kernel_shape", [window.kernel, window.kernel]),
          .integers("strides", [window.stride, window.stride]),
          .integers("pads", Array(repeating: window.padding, count: 4)),
        ])
    case .globalAveragePool:
      let pooled = graph.node("GlobalAveragePool", inputs, name)
      graph.output("pooled", [.batch, .fixed(node.channels)])
      return graph.node("Flatten", [pooled], "pooled", [.integer("axis", 1)])
    case .linear:
      graph.output(node.name, [.batch, .fixed(node.channels)])
      return try addLinear(
        node.name, of: inputs[0], node.name, inputs: source.channels, outputs: node.channels, hasBias: true)
    }
  }

  /// `(images − mean) / std`, channel by channel.
  private mutating func normalized(
    _ images: String, channels: Int, _ statistics: (mean: [Double], std: [Double])
  ) -> String {
    func perChannel(_ values: [Double]) -> TensorValue {
      TensorValue(shape: [1, channels, 1, 1], .float32(values.map { Float($0) }))
    }
    let mean = graph.constant("mean", perChannel(statistics.mean))
    let std = graph.constant("std", perChannel(statistics.std))
    return graph.node("Div", [graph.node("Sub", [images, mean], "centred"), std], "normalised")
  }

  /// A normalisation by the running statistics.
  private mutating func addNorm(
    _ layer: String, of inputs: [String], _ name: String, channels: Int, prefix: String? = nil,
    isAffine: Bool = true
  ) throws -> String {
    var operands: [String] = []
    for (parameter, value) in [("weight", Float(1)), ("bias", Float(0))] {
      operands.append(
        isAffine
          ? try weight("\(layer).\(parameter)", [channels], prefix: prefix)
          : graph.constant(
            "\(layer).\(parameter)",
            TensorValue(shape: [channels], .float32(Array(repeating: value, count: channels)))))
    }
    for statistic in ["running_mean", "running_var"] {
      operands.append(try weight("\(layer).\(statistic)", [channels], prefix: prefix))
    }
    return graph.node("BatchNormalization", inputs + operands, name, [.float("epsilon", Self.epsilon)])
  }

  /// A matrix product with a weight `[outputs, inputs]`.
  private mutating func addLinear(
    _ layer: String, of input: String, _ name: String, inputs: Int, outputs: Int, hasBias: Bool,
    prefix: String? = nil
  ) throws -> String {
    var operands = [input, try weight("\(layer).weight", [outputs, inputs], prefix: prefix)]
    if hasBias { operands.append(try weight("\(layer).bias", [outputs], prefix: prefix)) }
    return graph.node("Gemm", operands, name, [.integer("transB", 1)])
  }

  /// The projector, whose output is `embedding`.
  private mutating func add(
    _ projector: ProjectorSpecification, to features: String, inputs: Int
  ) throws {
    var value = features
    var count = inputs
    for (index, width) in projector.widths.enumerated() {
      let isLast = index == projector.widths.count - 1
      let (linear, norm) = ("projector.\(3 * index)", "projector.\(3 * index + 1)")
      let endsHere = isLast && !projector.lastBatchNorm
      value = try addLinear(
        linear, of: value, endsHere ? "embedding" : "\(linear).output", inputs: count, outputs: width,
        hasBias: isLast ? projector.lastBias : projector.hiddenBias, prefix: "")
      count = width
      if endsHere { break }
      value = try addNorm(
        norm, of: [value], isLast ? "embedding" : "\(norm).output", channels: width, prefix: "",
        isAffine: !isLast)
      if !isLast { value = graph.node("Relu", [value], "\(norm).relu") }
    }
    graph.output("embedding", [.batch, .fixed(count)])
  }

  /// The head of a supervised training, whose output is `logits`.
  private mutating func addHead(to features: String, inputs: Int) throws {
    guard let bias = tensors["head.bias"] else { throw CheckpointError.missingTensor("head.bias") }
    _ = try addLinear(
      "head", of: features, "logits", inputs: inputs, outputs: bias.count, hasBias: true, prefix: "")
    graph.output("logits", [.batch, .fixed(bias.count)])
  }

  /// Adds a tensor of the checkpoint, by its name without the encoder's prefix.
  private mutating func weight(_ name: String, _ shape: [Int], prefix: String? = nil) throws -> String {
    let stored = (prefix ?? self.prefix) + name
    guard let value = tensors[stored] else { throw CheckpointError.missingTensor(stored) }
    guard value.shape == shape, value.type == .float32 else {
      throw CheckpointError.tensor(
        name: stored, found: "\(value.type.rawValue) \(value.shape)", expected: "F32 \(shape)")
    }
    return graph.constant(name, value)
  }
}
