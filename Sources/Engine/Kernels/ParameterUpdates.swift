import Tensors

/// A parameter with its gradient and what its update rule keeps beside it; all have the same count.
package struct ParameterUpdate: Sendable {
  /// The elements that an update changes.
  package let value: Floats
  /// The gradient of the loss by `value`.
  package let gradient: Floats
  /// Adam's first moment, or the velocity of gradient descent with momentum.
  package let first: Floats?
  /// Adam's second moment.
  package let second: Floats?

  /// Names the parts.
  package init(value: Floats, gradient: Floats, first: Floats? = nil, second: Floats? = nil) {
    precondition(
      gradient.count == value.count && (first?.count ?? value.count) == value.count
        && (second?.count ?? value.count) == value.count, "an update needs equal counts")
    self.value = value
    self.gradient = gradient
    self.first = first
    self.second = second
  }
}

/// All parameters of a network, shared out in tasks of about equal length: long ones are cut, short ones lie
/// together, so that one region of the team updates everything.
package struct ParameterUpdates: Sendable {
  /// Neighbouring elements of one parameter.
  struct Piece: Sendable {
    let parameter: Int
    let start: Int
    let count: Int
  }

  /// Floats of a piece, and least floats of a task but the last.
  private static let pieceFloats = 16384

  /// The parameters, in their order.
  package let parameters: [ParameterUpdate]
  let pieces: [Piece]
  /// The pieces of each task.
  let tasks: [Range<Int>]

  /// Shares out `parameters`.
  package init(_ parameters: [ParameterUpdate]) {
    var pieces: [Piece] = []
    var tasks: [Range<Int>] = []
    var (first, floats) = (0, 0)
    for (index, parameter) in parameters.enumerated() {
      let length = ParameterUpdates.pieceFloats
      for start in stride(from: 0, to: parameter.value.count, by: length) {
        let count = min(length, parameter.value.count - start)
        pieces.append(Piece(parameter: index, start: start, count: count))
        floats += count
        guard floats >= length else { continue }
        tasks.append(first..<pieces.count)
        (first, floats) = (pieces.count, 0)
      }
    }
    if first < pieces.count { tasks.append(first..<pieces.count) }
    self.parameters = parameters
    self.pieces = pieces
    self.tasks = tasks
  }
}
