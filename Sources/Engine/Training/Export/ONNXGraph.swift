/// A graph of ONNX operators while it is put together, in the order of its nodes.
///
/// Field numbers and operators are those of `onnx.proto` and of operator set 17
/// (https://onnx.ai/onnx/intro/concepts.html).
struct ONNXGraph {
  /// A named setting of an operator.
  enum Attribute {
    case integer(String, Int)
    case integers(String, [Int])
    case float(String, Float)
  }

  /// The size of a dimension of an input or output.
  enum Dimension {
    case fixed(Int)
    /// Any number of images.
    case batch
  }

  /// The version of the file format in which operator set 17 appeared.
  private static let formatVersion = 8
  private static let operatorSet = 17

  private let name: String
  private var nodes: [ProtobufMessage] = []
  private var initializers: [ProtobufMessage] = []
  private var inputs: [ProtobufMessage] = []
  private var outputs: [ProtobufMessage] = []

  /// An empty graph.
  init(name: String) { self.name = name }

  /// Adds an operator that gives the value `output`; returns that name.
  @discardableResult
  mutating func node(
    _ operation: String, _ inputs: [String], _ output: String, _ attributes: [Attribute] = []
  ) -> String {
    var node = ProtobufMessage()
    for input in inputs { node.add(1, input) }
    node.add(2, output)
    node.add(3, output)
    node.add(4, operation)
    for attribute in attributes { node.add(5, attribute.message) }
    nodes.append(node)
    return output
  }

  /// Adds a constant; returns its name.
  @discardableResult
  mutating func constant(_ name: String, _ value: TensorValue) -> String {
    var tensor = ProtobufMessage()
    for size in value.shape { tensor.add(1, size) }
    tensor.add(2, value.type == .int64 ? 7 : 1)
    tensor.add(8, name)
    tensor.add(9, elementsOf: TensorSource(name, value))
    initializers.append(tensor)
    return name
  }

  /// Declares a value of single precision as an input.
  mutating func input(_ name: String, _ shape: [Dimension]) { inputs.append(Self.value(name, shape)) }

  /// Declares a value of single precision as an output.
  mutating func output(_ name: String, _ shape: [Dimension]) { outputs.append(Self.value(name, shape)) }

  /// The whole model.
  func model(producer: String, version: String, metadata: [String: String]) -> ProtobufMessage {
    var graph = ProtobufMessage()
    for node in nodes { graph.add(1, node) }
    graph.add(2, name)
    for initializer in initializers { graph.add(5, initializer) }
    for input in inputs { graph.add(11, input) }
    for output in outputs { graph.add(12, output) }
    var model = ProtobufMessage()
    model.add(1, Self.formatVersion)
    model.add(2, producer)
    model.add(3, version)
    model.add(7, graph)
    var operators = ProtobufMessage()
    operators.add(1, "")
    operators.add(2, Self.operatorSet)
    model.add(8, operators)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      var entry = ProtobufMessage()
      entry.add(1, key)
      entry.add(2, value)
      model.add(14, entry)
    }
    return model
  }

  private static func value(_ name: String, _ dimensions: [Dimension]) -> ProtobufMessage {
    var shape = ProtobufMessage()
    for dimension in dimensions {
      var size = ProtobufMessage()
      switch dimension {
      case .fixed(let count): size.add(1, count)
      case .batch: size.add(2, "batch")
      }
      shape.add(1, size)
    }
    var tensor = ProtobufMessage()
    tensor.add(1, 1)
    tensor.add(2, shape)
    var type = ProtobufMessage()
    type.add(1, tensor)
    var value = ProtobufMessage()
    value.add(1, name)
    value.add(2, type)
    return value
  }
}

extension ONNXGraph.Attribute {
  fileprivate var message: ProtobufMessage {
    var attribute = ProtobufMessage()
    switch self {
    case .float(let name, let value):
      attribute.add(1, name)
      attribute.add(2, value)
      attribute.add(20, 1)
    case .integer(let name, let value):
      attribute.add(1, name)
      attribute.add(3, value)
      attribute.add(20, 2)
    case .integers(let name, let values):
      attribute.add(1, name)
      for value in values { attribute.add(8, value) }
      attribute.add(20, 7)
    }
    return attribute
  }
}
