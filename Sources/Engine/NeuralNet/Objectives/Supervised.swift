import Kernels
import Recipe
import Tensors

extension Supervised: Method {
  package var branches: Branches { Branches() }
  package var diagnosed: DiagnosedEmbedding { .raw(epsilon: 0) }

  package func health(dimension: Int) -> HealthScale { HealthScale(spread: nil) }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try SupervisedObjective(shape, plan: plan)
  }
}

/// One Linear to the classes (`head.weight`, `head.bias`) on features `[n, d]`, softmax and cross-entropy.
final class SupervisedObjective: Objective {
  var figures: [Figure] { [Figure("top1", top1)] }
  /// Share of the batch whose highest score is that of its label.
  private var top1 = 0.0

  private let compute: Compute
  private let head: Linear
  private let scores: Activation
  private let gradient: Activation
  private let rows: Doubles

  /// Plans the head for at most `shape.batchSize` images.
  init(_ shape: EmbeddingShape, plan: NetworkPlan) throws {
    precondition(shape.classes >= 2, "there is more than one class")
    compute = plan.compute
    let n = shape.batchSize
    head = try Linear(
      "head", rows: n, inputs: shape.dimension, outputs: shape.classes, bias: true, plan: plan)
    scores = try plan.activation(images: n, channels: shape.classes, side: 1)
    gradient = try plan.activation(images: n, channels: shape.dimension, side: 1)
    rows = try plan.arena.allocateDoubles(2 * n)
  }

  func evaluate(_ outputs: BranchOutputs) -> (loss: Double, gradient: Activation) {
    let features = outputs.embedding
    let output = scores.images(0..<features.images)
    let result = gradient.images(0..<features.images)
    head.forward(features, output: output)
    let found = compute.crossEntropy(output, labels: outputs.labels, losses: rows, replacesScores: true)
    top1 = Double(found.correct) / Double(features.images)
    head.backwardParameters(input: features, dOutput: output)
    head.backwardInput(dOutput: output, dInput: result)
    return (found.loss, result)
  }
}
