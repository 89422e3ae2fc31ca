import Kernels
import Recipe
import Tensors

extension SIGReg: Method {
  package var branches: Branches { Branches() }
  package var diagnosed: DiagnosedEmbedding { .raw(epsilon: 0) }

  package func health(dimension: Int) -> HealthScale { HealthScale(spread: 1) }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try SIGRegObjective(self, shape, plan: plan)
  }
}

/// The loss of SIGReg for an embedding `[views · n, d]` and its gradient.
///
/// `inv` is the mean over views and dimensions of the squared distance from the mean of the global views;
/// SIGReg the mean over views, local ones included, and slices of the Epps–Pulley statistic
/// `n ∫_{−3}^{3} |φ̂(t) − e^{−t²/2}|² e^{−t²/2} dt`. The directions are functions of seed and step, so a run
/// that goes on draws those of an undisturbed one.
final class SIGRegObjective: Objective {
  var figures: [Figure] { [Figure("inv", parts.inv), Figure("sigreg", parts.sigreg)] }
  private var parts = (inv: 0.0, sigreg: 0.0)

  /// Unit vectors `[slices][d]`: those of the last step.
  let directions: Matrix
  private let configuration: SIGReg
  private let compute: Compute
  /// Global and local ones.
  private let views: Int
  private let dimension: Int
  private let seed: UInt64
  private let gradient: Activation
  private let projections: Activation
  private let projectionProduct: MatrixProduct
  private let gradientProduct: MatrixProduct
  private let invariance: ViewInvariance
  private let knots: CharacteristicKnots
  private let scratch: Doubles

  /// Plans the loss for at most `shape.batchSize` images.
  init(_ configuration: SIGReg, _ shape: EmbeddingShape, plan: NetworkPlan) throws {
    self.configuration = configuration
    compute = plan.compute
    (views, dimension, seed) = (shape.allViews, shape.dimension, shape.seed)
    let n = shape.batchSize
    gradient = try plan.activation(images: views * n, channels: dimension, side: 1)
    projections = try plan.activation(images: n, channels: configuration.slices, side: 1)
    directions = Matrix(
      try plan.arena.allocate(configuration.slices * gradient.imageStride), rowStride: gradient.imageStride)
    projectionProduct = MatrixProduct(m: n, n: configuration.slices, k: dimension, compute: compute)
    gradientProduct = MatrixProduct(m: n, n: dimension, k: configuration.slices, compute: compute)
    invariance = try ViewInvariance(shape, plan: plan)
    knots = CharacteristicKnots(points: configuration.points)
    scratch = try plan.arena.allocateDoubles(knots.scratchCount(slices: configuration.slices))
  }

  func evaluate(_ outputs: BranchOutputs) -> (loss: Double, gradient: Activation) {
    compute.drawDirections(
      seed: seed, step: outputs.step, slices: configuration.slices, dimension: dimension, into: directions)
    return evaluate(outputs.embedding)
  }

  /// The loss by the present `directions`.
  func evaluate(_ z: Activation) -> (loss: Double, gradient: Activation) {
    precondition(z.images.isMultiple(of: views), "each view has the same number of rows")
    let rows = z.images / views
    let lambda = configuration.lambda
    let result = gradient.images(0..<z.images)
    parts.sigreg = 0
    for view in 0..<views {
      let images = view * rows..<(view + 1) * rows
      let x = projections.images(0..<rows)
      projectionProduct.run(
        Matrix(z.images(images)), directions, transposeB: true, into: Matrix(x), rows: rows)
      parts.sigreg +=
        compute.eppsPulley(x, knots: knots, weight: lambda / Double(views), scratch: scratch) / Double(views)
      gradientProduct.run(Matrix(x), directions, into: Matrix(result.images(images)), rows: rows)
    }
    let share = 1 / ViewInvariance.factor
    parts.inv = share * invariance.add(z, weight: (1 - lambda) * share, to: result)
    return ((1 - lambda) * parts.inv + lambda * parts.sigreg, result)
  }
}
