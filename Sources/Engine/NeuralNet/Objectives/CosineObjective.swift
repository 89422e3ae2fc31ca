import Kernels
import Recipe
import Tensors

/// `Σ (offset + factor · mean cos(p_v, z_w))` over both ordered pairs of two views, where p are predictions
/// and z embeddings without a gradient: those of the moving average where there is one, else the network's
/// own.
///
/// BYOL: 2 − 2 cos. SimSiam: −½ cos.
final class CosineObjective: Objective {
  var figures: [Figure] { [Figure("similarity", similarity)] }
  /// Mean cosine of both pairs.
  private var similarity = 0.0

  private let factor: Double
  private let offset: Double
  private let compute: Compute
  private let gradient: Activation
  private let rows: Doubles

  /// Plans the loss for at most `shape.batchSize` images.
  init(_ shape: EmbeddingShape, factor: Double, offset: Double, plan: NetworkPlan) throws {
    self.factor = factor
    self.offset = offset
    compute = plan.compute
    gradient = try plan.activation(images: 2 * shape.batchSize, channels: shape.dimension, side: 1)
    rows = try plan.arena.allocateDoubles(2 * shape.batchSize)
  }

  func evaluate(_ outputs: BranchOutputs) -> (loss: Double, gradient: Activation) {
    guard let p = outputs.prediction else { preconditionFailure("the method's network has a predictor") }
    let z = outputs.target ?? outputs.embedding
    let n = p.images / 2
    let views = (0..<n, n..<2 * n)
    func add(_ own: Range<Int>, _ other: Range<Int>) {
      compute.cosines(
        of: p.images(own), to: z.images(other), weight: factor / Double(n), into: rows, at: own.lowerBound,
        gradient: gradient.images(own))
    }
    add(views.0, views.1)
    add(views.1, views.0)
    similarity = compute.sum(rows, 0..<2 * n) / Double(2 * n)
    return (2 * (offset + factor * similarity), gradient.images(0..<2 * n))
  }
}
