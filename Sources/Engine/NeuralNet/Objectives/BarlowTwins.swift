import Kernels
import Recipe
import Tensors

extension BarlowTwins: Method {
  package var branches: Branches { Branches() }
  package var diagnosed: DiagnosedEmbedding { .unitRows }

  package func health(dimension: Int) -> HealthScale {
    .unitRows(dimension: dimension, decorrelates: true)
  }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try BarlowTwinsObjective(self, shape, plan: plan)
  }
}

/// The loss of Barlow Twins and its gradient.
///
/// Each view is standardised over the batch (biased variance, ε 1e-5). With more than two views, each global
/// one is correlated with the mean of the other standardised global views, each local one with the mean of
/// all global views, and the loss is the mean over all views; with two views the two matrices are each
/// other's transposes, and one is computed.
final class BarlowTwinsObjective: Objective {
  var figures: [Figure] {
    [Figure("on_diagonal", parts.onDiagonal), Figure("off_diagonal", parts.offDiagonal)]
  }
  private var parts = (onDiagonal: 0.0, offDiagonal: 0.0)

  private let configuration: BarlowTwins
  private let compute: Compute
  private let views: Int
  private let localViews: Int
  private let standardization: BatchStandardization
  private let gradient: Activation
  private let correlation: Matrix
  private let diagonal: Doubles
  private let correlationProduct: MatrixProduct
  private let gradientProduct: MatrixProduct
  /// With more than two views: the mean of the other global ones, and the gradient by it.
  private let others: Activation
  private let dOthers: Activation

  /// Plans the loss for at most `shape.batchSize` images.
  init(_ configuration: BarlowTwins, _ shape: EmbeddingShape, plan: NetworkPlan) throws {
    self.configuration = configuration
    compute = plan.compute
    (views, localViews) = (shape.views, shape.localViews)
    let all = shape.allViews
    let (n, d) = (shape.batchSize, shape.dimension)
    standardization = try BatchStandardization(rows: all * n, dimension: d, views: all, plan: plan)
    gradient = try plan.activation(images: all * n, channels: d, side: 1)
    correlation = Matrix(
      try plan.arena.allocate(d * gradient.imageStride), rowStride: gradient.imageStride)
    diagonal = try plan.arena.allocateDoubles(d)
    correlationProduct = MatrixProduct(m: d, n: d, k: n, compute: compute)
    gradientProduct = MatrixProduct(m: n, n: d, k: d, compute: compute)
    others = try plan.activation(images: all > 2 ? n : 0, channels: d, side: 1)
    dOthers = try plan.activation(images: all > 2 ? n : 0, channels: d, side: 1)
  }

  func evaluate(_ outputs: BranchOutputs) -> (loss: Double, gradient: Activation) {
    let z = outputs.embedding
    let all = views + localViews
    precondition(z.images.isMultiple(of: all) && z.images >= 2 * all, "each view has two rows")
    let rows = z.images / all
    let y = standardization.forward(z)
    let dY = gradient.images(0..<z.images)
    func view(_ activation: Activation, _ view: Int) -> Activation {
      activation.images(view * rows..<(view + 1) * rows)
    }
    parts = (0, 0)
    if all == 2 {
      correlate(view(y, 0), view(y, 1), share: 1)
      multiply(view(y, 1), transposed: true, into: view(dY, 0))
      multiply(view(y, 0), transposed: false, into: view(dY, 1))
    } else {
      compute.fill(dY.storage, with: 0)
      for own in 0..<all { addView(own, of: y, rows: rows, to: dY) }
    }
    standardization.backward(z, gradient: dY)
    let loss = configuration.scale * (parts.onDiagonal + configuration.lambda * parts.offDiagonal)
    return (loss, dY)
  }

  /// The term of one view and the mean of the other global ones, and its gradient by all of them.
  private func addView(_ own: Int, of y: Activation, rows: Int, to dY: Activation) {
    func view(_ activation: Activation, _ view: Int) -> Activation {
      activation.images(view * rows..<(view + 1) * rows)
    }
    let mean = others.images(0..<rows)
    let dMean = dOthers.images(0..<rows)
    let rest = (0..<views).lazy.filter { $0 != own }
    let share = 1 / Float(own < views ? views - 1 : views)
    compute.fill(mean.storage, with: 0)
    for other in rest { compute.add(view(y, other).storage, to: mean.storage) }
    compute.scale(mean.storage, by: share)
    correlate(view(y, own), mean, share: 1 / Double(views + localViews))
    multiply(view(y, own), transposed: false, into: dMean)
    compute.scale(dMean.storage, by: share)
    for other in rest { compute.add(dMean.storage, to: view(dY, other).storage) }
    multiply(mean, transposed: true, into: dMean)
    compute.add(dMean.storage, to: view(dY, own).storage)
  }

  /// Adds `share` of the terms of C = aᵀ b / n, and replaces C by the gradient of the loss by C, over n.
  private func correlate(_ a: Activation, _ b: Activation, share: Double) {
    let rows = a.images
    correlationProduct.run(
      Matrix(a), transposeA: true, Matrix(b), into: correlation, depth: rows, alpha: 1 / Float(rows))
    compute.takeDiagonal(correlation, into: diagonal)
    compute.setDiagonal(correlation, order: diagonal.count, to: 0)
    parts.offDiagonal += share * compute.sumOfSquares(correlation.floats)
    let common = 2 * configuration.scale * share / Double(rows)
    compute.scale(correlation.floats, by: Float(configuration.lambda * common))
    compute.distancesFromOne(diagonal, share: share, addedTo: &parts.onDiagonal, factor: common)
    compute.setDiagonal(correlation, from: diagonal)
  }

  /// `rows · G` or `rows · Gᵀ`.
  private func multiply(_ rows: Activation, transposed: Bool, into result: Activation) {
    gradientProduct.run(
      Matrix(rows), correlation, transposeB: transposed, into: Matrix(result), rows: rows.images)
  }
}
