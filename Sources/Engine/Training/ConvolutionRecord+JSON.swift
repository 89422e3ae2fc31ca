import JSONText
import NeuralNet

extension ConvolutionRecord {
  /// An object of layers, each an object of directions with the names of their algorithms.
  package var json: JSON {
    .object(names.mapValues { .object($0.mapValues { .string($0) }) })
  }

  /// Reads what `json` gave.
  ///
  /// Throws `ConvolutionRecordError` for a layer that lacks a direction or names an algorithm that this
  /// program does not have.
  package init(json: JSON) throws(ConvolutionRecordError) {
    // What is no object, or no string, has nothing where something is missed.
    var names: [String: [String: String]] = [:]
    for (layer, directions) in json.object ?? [:] {
      for (direction, name) in directions.object ?? [:] {
        names[layer.string, default: [:]][direction.string] = name.string?.string
      }
    }
    try self.init(names: names)
  }
}
