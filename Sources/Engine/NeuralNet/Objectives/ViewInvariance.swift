import Kernels
import Tensors

/// How far the views of an image lie apart: four times the mean over views, images and dimensions of the
/// squared distance of a view from the mean of all views. With two views that is their mean squared
/// difference, `mse(z1, z2)`.
final class ViewInvariance {
  /// Of a mean over views, so that two views give their mean squared difference.
  static let factor = 4.0

  private let compute: Compute
  private let views: Int
  private let difference: Floats
  private let mean: Floats

  /// Plans it for at most `shape.batchSize` images.
  init(_ shape: EmbeddingShape, plan: NetworkPlan) throws {
    compute = plan.compute
    views = shape.views
    let count = Activation.count(images: shape.batchSize, channels: shape.dimension, height: 1, width: 1)
    difference = try plan.arena.allocate(count)
    mean = try plan.arena.allocate(views > 2 ? count : 0)
  }

  /// The term of an embedding `[views · n, d]`; `weight` times its gradient is added to `gradient`.
  func add(_ z: Activation, weight: Double, to gradient: Activation) -> Double {
    let rows = z.images / views
    let length = rows * z.imageStride
    let count = Double(rows * z.channels)
    func part(_ activation: Activation, _ view: Int) -> Floats {
      activation.images(view * rows..<(view + 1) * rows).storage
    }
    let delta = difference.slice(0, length)
    guard views > 2 else {
      delta.copy(from: part(z, 1))
      compute.scale(delta, by: -1)
      compute.add(part(z, 0), to: delta)
      let term = compute.sumOfSquares(delta) / count
      compute.scale(delta, by: Float(2 * weight / count))
      compute.add(delta, to: part(gradient, 0))
      compute.scale(delta, by: -1)
      compute.add(delta, to: part(gradient, 1))
      return term
    }
    let middle = mean.slice(0, length)
    middle.copy(from: part(z, 0))
    for view in 1..<views { compute.add(part(z, view), to: middle) }
    compute.scale(middle, by: -1 / Float(views))
    let share = ViewInvariance.factor / (Double(views) * count)
    var squares = 0.0
    for view in 0..<views {
      delta.copy(from: middle)
      compute.add(part(z, view), to: delta)
      squares += compute.sumOfSquares(delta)
      // The distances sum to 0, so the mean's own gradient vanishes.
      compute.scale(delta, by: Float(2 * weight * share))
      compute.add(delta, to: part(gradient, view))
    }
    return squares * share
  }
}
