import Kernels

/// How each convolution and linear layer of a network is computed, by the layer's name.
///
/// The choice decides the last bits of results and may be made otherwise by another version of this program:
/// a run keeps the record of what it began with.
package struct ConvolutionRecord: Sendable, Equatable {
  /// The algorithms of layer `encoder.layer1.0.conv1` and so on.
  package private(set) var layers: [String: ConvolutionAlgorithms] = [:]

  /// How `layers` are computed; the stem, where nothing is chosen, is left out.
  init(_ layers: [PlannedLayer]) {
    for layer in layers { self.layers[layer.name] = layer.algorithms }
  }

  /// Reads what `names` gave.
  ///
  /// Throws for a layer that lacks a direction or names an algorithm that this program does not have.
  package init(names: [String: [String: String]]) throws(ConvolutionRecordError) {
    for (layer, directions) in names {
      func algorithm(_ direction: Direction) throws(ConvolutionRecordError) -> ConvolutionAlgorithm {
        let name = directions[direction.rawValue]
        guard let algorithm = name.flatMap(ConvolutionAlgorithm.init(rawValue:)) else {
          throw .unknownAlgorithm(layer: layer, direction: direction.rawValue, name: name)
        }
        return algorithm
      }
      layers[layer] = ConvolutionAlgorithms(
        forward: try algorithm(.forward), backwardInput: try algorithm(.backwardInput),
        backwardWeight: try algorithm(.backwardWeight))
    }
  }

  /// The record of two networks: what is not in this one is taken from the other, under names that begin with
  /// a prefix.
  package func adding(_ other: ConvolutionRecord, prefix: String) -> ConvolutionRecord {
    var sum = self
    for (name, algorithms) in other.layers { sum.layers[prefix + name] = algorithms }
    return sum
  }

  /// What `adding` took under a prefix, and the rest; `part` is nil where there is nothing under it.
  package func divided(prefix: String) -> (part: ConvolutionRecord?, rest: ConvolutionRecord) {
    var (part, rest) = (self, self)
    part.layers = [:]
    for (name, algorithms) in layers where name.hasPrefix(prefix) {
      part.layers[String(name.dropFirst(prefix.count))] = algorithms
      rest.layers[name] = nil
    }
    return (part.layers.isEmpty ? nil : part, rest)
  }

  /// Layer → `forward`, `backward_input` and `backward_weight` → algorithm.
  package var names: [String: [String: String]] {
    layers.mapValues { algorithms in
      Dictionary(
        uniqueKeysWithValues: Direction.allCases.map { ($0.rawValue, $0.algorithm(algorithms).rawValue) })
    }
  }

  /// The algorithms recorded for a layer, which must be able to compute `shape`.
  func algorithms(
    of layer: String, for shape: ConvolutionShape
  ) throws(ConvolutionRecordError) -> ConvolutionAlgorithms {
    guard let algorithms = layers[layer] else { throw .missingLayer(layer) }
    for direction in Direction.allCases {
      let algorithm = direction.algorithm(algorithms)
      guard algorithm.isApplicable(to: shape) else {
        throw .notApplicable(layer: layer, direction: direction.rawValue, name: algorithm.rawValue)
      }
    }
    return algorithms
  }

  private enum Direction: String, CaseIterable {
    case forward
    case backwardInput = "backward_input"
    case backwardWeight = "backward_weight"

    func algorithm(_ algorithms: ConvolutionAlgorithms) -> ConvolutionAlgorithm {
      switch self {
      case .forward: algorithms.forward
      case .backwardInput: algorithms.backwardInput
      case .backwardWeight: algorithms.backwardWeight
      }
    }
  }
}

/// A record of convolutions that a network cannot be computed by.
package enum ConvolutionRecordError: Error, Equatable, CustomStringConvertible {
  /// The name is not one of this program's algorithms, or missing.
  case unknownAlgorithm(layer: String, direction: String, name: String?)
  /// The algorithm cannot compute a layer of this shape.
  case notApplicable(layer: String, direction: String, name: String)
  /// The network has a layer that the record lacks.
  case missingLayer(String)
  /// The record has layers that the network lacks.
  case unknownLayers([String])

  package var description: String {
    let cause =
      switch self {
      case .unknownAlgorithm(let layer, let direction, let name?):
        "\(layer), \(direction): this version has no algorithm \"\(name)\", only "
          + ConvolutionAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
      case .unknownAlgorithm(let layer, let direction, nil): "\(layer): \(direction) is missing"
      case .notApplicable(let layer, let direction, let name):
        "\(layer), \(direction): \(name) cannot compute a layer of this kernel, stride and number of channels"
      case .missingLayer(let layer): "layer \(layer) is missing"
      case .unknownLayers(let layers): "the network has no layer \(layers.joined(separator: ", "))"
      }
    return "cannot follow the recorded convolutions: \(cause)"
  }
}
