import Kernels
import Recipe
import Tensors

extension SimCLR: Method {
  package var branches: Branches { Branches() }
  package var diagnosed: DiagnosedEmbedding { .unitRows }

  package func health(dimension: Int) -> HealthScale { .unitRows(dimension: dimension) }

  package func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    try SimCLRObjective(self, shape, plan: plan)
  }
}

/// NT-Xent of an embedding `[2n, d]` and its gradient.
///
/// With u = z / ‖z‖, s = u uᵀ and p(i) the other view of row i, the loss is the mean of
/// `−log(e^{s_ip/T} / Σ_{j≠i} e^{s_ij/T})`. The gradient by u is H u with H = (G + Gᵀ)/T, G that by s/T.
/// Only its part across u_i counts, which H's rows may change by any multiple of u_i: they are made to sum to
/// 0 and multiply `u − mean(u)`, so that nothing cancels where rows nearly coincide.
final class SimCLRObjective: Objective {
  var figures: [Figure] {
    [Figure("positive_similarity", last.positive), Figure("contrast_top1", last.top1)]
  }
  private var last = (positive: 0.0, top1: 0.0)

  private let temperature: Double
  private let compute: Compute
  private let unit: Activation
  private let gradient: Activation
  private let similarities: Matrix
  private let similarityProduct: MatrixProduct
  private let gradientProduct: MatrixProduct
  private let inverse: Doubles
  private let mean: Doubles
  private let rows: Doubles

  /// Plans the loss for at most `shape.batchSize` images.
  init(_ configuration: SimCLR, _ shape: EmbeddingShape, plan: NetworkPlan) throws {
    temperature = configuration.temperature
    compute = plan.compute
    let (m, d) = (2 * shape.batchSize, shape.dimension)
    unit = try plan.activation(images: m, channels: d, side: 1)
    gradient = try plan.activation(images: m, channels: d, side: 1)
    similarities = Matrix(try plan.arena.allocate(m * m), rowStride: m)
    similarityProduct = MatrixProduct(m: m, n: m, k: d, compute: compute)
    gradientProduct = MatrixProduct(m: m, n: d, k: m, compute: compute)
    inverse = try plan.arena.allocateDoubles(m)
    mean = try plan.arena.allocateDoubles(d)
    rows = try plan.arena.allocateDoubles(3 * m)
  }

  func evaluate(_ outputs: BranchOutputs) -> (loss: Double, gradient: Activation) {
    let z = outputs.embedding
    let m = z.images
    precondition(m.isMultiple(of: 2) && m >= 4, "each view has two rows")
    let u = unit.images(0..<m)
    let result = gradient.images(0..<m)
    compute.inverseNorms(of: z, into: inverse)
    compute.scaleRows(z, by: inverse, into: u)
    // Of a short batch, the columns behind the last row are computed too, and not looked at.
    similarityProduct.run(Matrix(u), Matrix(unit), transposeB: true, into: similarities, rows: m)
    let found = compute.contrast(similarities, order: m, temperature: temperature, rows: rows)
    last = (found.positive, found.top1)
    compute.symmetrize(similarities, order: m, factor: Float(1 / temperature))
    compute.meanOfRows(z, scaledBy: inverse, into: mean)
    compute.scaleRows(z, by: inverse, subtracting: mean, into: u)
    gradientProduct.run(similarities, Matrix(u), into: Matrix(result), rows: m, depth: m)
    compute.normalizeRowsBackward(result, of: z, inverse: inverse)
    return (found.loss, result)
  }
}
