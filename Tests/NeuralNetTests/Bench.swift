import Kernels
import Parallel
import Tensors

@testable import NeuralNet

/// Memory, threads and a plan for the layers under test.
struct Bench {
  let compute: Compute
  let arena: Arena
  let plan: NetworkPlan

  init(threads: Int = 2) throws {
    compute = Compute(team: try ThreadTeam(threads: threads))
    arena = try Arena()
    plan = NetworkPlan(compute: compute, arena: arena, isTraining: true)
  }

  /// To be called once all layers are planned.
  func ready() throws { try compute.allocate(from: arena) }

  func floats(_ values: [Float]) throws -> Floats {
    let floats = try arena.allocate(values.count)
    floats.copy(from: values)
    return floats
  }

  /// An empty activation.
  func activation(_ n: Int, _ c: Int, _ side: Int) throws -> Activation {
    try plan.activation(images: n, channels: c, side: side)
  }

  /// An activation with planar values.
  func activation(_ n: Int, _ c: Int, _ h: Int, _ w: Int, _ values: [Float]) throws -> Activation {
    let activation = try Activation(images: n, channels: c, height: h, width: w, arena: arena)
    compute.blocked(planar: try floats(values), into: activation)
    return activation
  }

  /// The planar values of an activation.
  func planar(_ activation: Activation) throws -> [Float] {
    let count = activation.images * activation.channels * activation.pixels
    let floats = try arena.allocate(count)
    compute.planar(activation, into: floats)
    return floats.array
  }
}

/// Compares a gradient with central differences of a function along generated directions.
///
/// Returns the largest difference in units of the slope that a random direction has on average.
func differenceError(
  at x: [Float], gradient: [Float], step: Double, of function: ([Float]) throws -> Double
) rethrows -> Double {
  var worst = 0.0
  let norm = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
  for direction in 0..<4 {
    let v = GoldenGenerator.values(seed: 70_000 + direction, count: x.count)
    let above = try function(zip(x, v).map { Float(Double($0) + step * Double($1)) })
    let below = try function(zip(x, v).map { Float(Double($0) - step * Double($1)) })
    let slope = zip(gradient, v).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let difference = (above - below) / (2 * step)
    worst = max(worst, abs(difference - slope) / (norm * (1.0 / 3).squareRoot()))
  }
  return worst
}

/// Σ a · b.
func dot(_ a: [Float], _ b: [Float]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
