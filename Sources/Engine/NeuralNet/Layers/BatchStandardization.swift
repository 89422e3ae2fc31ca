import Kernels
import Tensors

/// `(z − mean) / √(var + ε)` over the rows of each view: BatchNorm1d with batch statistics, without affine
/// and without running statistics. `[views · n, d]`; cached for the backward pass: mean and biased variance.
final class BatchStandardization {
  private let normalization: Normalization
  private let output: Activation
  private let dWeight: Floats
  private let dBias: Floats
  private let compute: Compute

  /// Plans it for at most `rows` rows, those of all views together.
  init(rows: Int, dimension: Int, views: Int, plan: NetworkPlan) throws {
    compute = plan.compute
    let ones = try plan.arena.allocate(dimension)
    compute.fill(ones, with: 1)
    let zeros = try plan.arena.allocate(dimension)
    compute.fill(zeros, with: 0)
    normalization = try Normalization(
      NormParameters(weight: ones, bias: zeros), views: views, arena: plan.arena)
    output = try plan.activation(images: rows, channels: dimension, side: 1)
    dWeight = try plan.arena.allocate(dimension)
    dBias = try plan.arena.allocate(dimension)
  }

  /// The standardised rows, valid until the next call.
  func forward(_ z: Activation) -> Activation {
    let result = output.images(0..<z.images)
    compute.takeStatistics(of: z, normalization)
    compute.normalize(z, normalization, relu: false, output: result)
    return result
  }

  /// Turns the gradient of the standardised rows into that of `z`, the input of the last `forward`.
  func backward(_ z: Activation, gradient: Activation) {
    compute.applyEpilogue(
      to: gradient, BackwardEpilogue(normalization, input: z, mask: .none, dWeight: dWeight, dBias: dBias))
    compute.normalizeBackward(
      BackwardPrologue(gradient, behind: normalization, input: z), dInput: gradient)
  }
}
