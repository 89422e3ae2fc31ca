import Kernels
import Tensors

/// How far the views of an image lie apart: four times the mean over views, images and dimensions of the
/// squared distance of a view from the mean of the global views. With two views and no local ones that is
/// their mean squared difference, `mse(z1, z2)`.
final class ViewInvariance {
  /// Of a mean over views, so that two views give their mean squared difference.
  static let factor = 4.0

  private let compute: Compute
  private let views: Int
  private let localViews: Int
  private let difference: Floats
  private let mean: Floats
  /// The sum of the local views' gradients, which the global ones have through their mean.
  private let pull: Floats

  /// Plans it for at most `shape.batchSize` images.
  init(_ shape: EmbeddingShape, plan: NetworkPlan) throws {
    compute = plan.compute
    (views, localViews) = (shape.views, shape.localViews)
    let count = Activation.count(images: shape.batchSize, channels: shape.dimension, height: 1, width: 1)
    difference = try plan.arena.allocate(count)
    mean = try plan.arena.allocate(shape.allViews > 2 ? count : 0)
    pull = try plan.arena.allocate(localViews > 0 ? count : 0)
  }

  /// The term of an embedding `[views · n, d]`, global views first; `weight` times its gradient is added to
  /// `gradient`.
  func add(_ z: Activation, weight: Double, to gradient: Activation) -> Double {
    let rows = z.images / (views + localViews)
    let length = rows * z.imageStride
    let count = Double(rows * z.channels)
    func part(_ activation: Activation, _ view: Int) -> Floats {
      activation.images(view * rows..<(view + 1) * rows).storage
    }
    let delta = difference.slice(0, length)
    guard views + localViews > 2 else {
      compute.copy(part(z, 1), to: delta)
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
    compute.copy(part(z, 0), to: middle)
    for view in 1..<views { compute.add(part(z, view), to: middle) }
    compute.scale(middle, by: -1 / Float(views))
    let share = ViewInvariance.factor / (Double(views + localViews) * count)
    let pulled = pull.slice(0, localViews > 0 ? length : 0)
    compute.fill(pulled, with: 0)
    var squares = 0.0
    for view in 0..<views + localViews {
      compute.copy(middle, to: delta)
      compute.add(part(z, view), to: delta)
      squares += compute.sumOfSquares(delta)
      // The distances of the global views sum to 0: the mean has a gradient from the local ones alone.
      compute.scale(delta, by: Float(2 * weight * share))
      compute.add(delta, to: part(gradient, view))
      if view >= views { compute.add(delta, to: pulled) }
    }
    guard localViews > 0 else { return squares * share }
    compute.scale(pulled, by: -1 / Float(views))
    for view in 0..<views { compute.add(pulled, to: part(gradient, view)) }
    return squares * share
  }
}
