import Kernels

// The network as a graph of operators, in the order in which they can be computed.
extension NetworkDescription {
  /// A value of the graph with the operator that computes it.
  package struct Node: Sendable, Equatable {
    /// What the names of its parameters begin with; empty for operators without parameters.
    package let name: String
    /// What computes it.
    package let operation: Operation
    /// The nodes that the operator reads, as positions in `nodes`.
    package let inputs: [Int]
    /// Channels of the value.
    package let channels: Int
    /// Rows and columns of the value; 1 for rows of numbers.
    package let side: Int
  }

  /// An operator.
  package enum Operation: Sendable, Equatable {
    /// The network's images.
    case images
    /// A convolution with a square kernel.
    case convolution(kernel: Int, stride: Int, padding: Int, hasBias: Bool)
    /// A batch normalisation.
    case batchNorm
    /// max(0, x).
    case relu
    /// The largest value of each window.
    case maxPool(PoolWindow)
    /// The sum of two values.
    case add
    /// The mean over all pixels.
    case globalAveragePool
    /// A matrix product with a bias.
    case linear
  }

  /// Every operator with its edges; the last one gives the features.
  package var nodes: [Node] {
    var nodes: [Node] = []
    @discardableResult
    func add(_ name: String, _ operation: Operation, _ inputs: [Int], _ channels: Int, _ side: Int) -> Int {
      nodes.append(
        Node(name: name, operation: operation, inputs: inputs, channels: channels, side: side))
      return nodes.count - 1
    }
    func add(_ unit: Unit, of input: Int, relu: Bool) -> Int {
      let convolution = add(
        unit.convolution,
        .convolution(
          kernel: unit.shape.kernel, stride: unit.shape.stride, padding: unit.shape.padding,
          hasBias: unit.hasBias), [input], unit.channels, unit.side)
      let norm = add(unit.norm, .batchNorm, [convolution], unit.channels, unit.side)
      return relu ? add("", .relu, [norm], unit.channels, unit.side) : norm
    }
    let images = add("", .images, [], inputChannels, imageSide)
    var maps = add(stem, of: images, relu: true)
    if let stemPool { maps = add("", .maxPool(stemPool), [maps], stem.channels, stemSide) }
    for block in blocks {
      let input = maps
      for unit in block.units.dropLast() { maps = add(unit, of: maps, relu: true) }
      maps = add(block.last, of: maps, relu: false)
      let identity = block.shortcut.map { add($0, of: input, relu: false) } ?? input
      maps = add("", .add, [maps, identity], block.last.channels, block.last.side)
      maps = add("", .relu, [maps], block.last.channels, block.last.side)
    }
    let pooled = add("", .globalAveragePool, [maps], pooledCount, 1)
    if let fc { add(fc.name, .linear, [pooled], fc.outputs, 1) }
    return nodes
  }
}
