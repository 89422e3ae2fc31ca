import Foundation
import Recipe
import Tensors

@testable import NeuralNet

/// The numbers of `Golden/methods.json` and, for local views, `Golden/local_views.json`; what each means
/// stands in `make_methods.py` and `make_local_views.py`.
struct MethodGolden: Decodable {
  struct LossCase: Decodable, Sendable {
    let method: MethodName
    let kind: String
    let seed, views, n, d, slices: Int
    let local: Int?
    let loss: Double
    let parts: [String: Double]
    let gradient: Summary
  }
  struct Head: Decodable, Sendable {
    let widths: [Int]
    let last_bias, hidden_bias, last_batch_norm: Bool
  }
  struct ModelCase: Decodable, Sendable {
    let method: MethodName
    let seed, images, side, views, classes: Int
    let local, local_side: Int?
    let batch_norm: String?
    let projector, predictor: Head?
    let loss: Double
    let parts: [String: Double]
    let gradients, buffers: [Summary]
  }
  struct Average: Decodable, Sendable {
    let rate, start: Double
    let losses: [Double]
    let parameters: [Summary]
  }
  struct OptimizerCase: Decodable, Sendable {
    let name: String
    let weight_decay: Double
    let rates: [Double]
    let shapes: [[Int]]
    let parameters: [Summary]
  }

  private(set) var losses: [LossCase]
  private(set) var models: [ModelCase]
  let average: Average
  let optimizers: [OptimizerCase]

  private struct LocalViewsGolden: Decodable {
    let losses: [LossCase]
    let models: [ModelCase]
  }

  /// The files, read once; without them every test that needs them stops here.
  static let shared: MethodGolden = {
    var golden: MethodGolden = read("methods")
    let local: LocalViewsGolden = read("local_views")
    golden.losses += local.losses
    golden.models += local.models
    return golden
  }()

  private static func read<File: Decodable>(_ name: String) -> File {
    do {
      guard let url = Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Golden")
      else { fatalError("\(name).json is not among the resources") }
      return try JSONDecoder().decode(File.self, from: Data(contentsOf: url))
    } catch {
      fatalError("\(name).json: \(error)")
    }
  }
}

extension MethodGolden {
  /// The method of that name with the constants of `make_methods.py`.
  static func method(
    _ name: MethodName, slices: Int = 40, batchNorm: BatchNormScope = .perView
  ) -> any Method {
    var loss = LossSpecification()
    loss.method = name
    switch name {
    case .vicreg: loss.constants = VICReg(epsilon: 1e-4, batchNorm: batchNorm)
    case .byol: loss.constants = BYOL(momentum: shared.average.start)
    case .sigreg: loss.constants = SIGReg(slices: slices)
    default: break
    }
    return loss.configured
  }

  /// Unit vectors as `make_methods.py` has them, into a matrix.
  static func setDirections(_ objective: any Objective, seed: Int, slices: Int, dimension: Int) {
    guard let objective = objective as? SIGRegObjective else { return }
    let values = GoldenGenerator.values(seed: seed, count: slices * dimension)
    for slice in 0..<slices {
      let row = values[slice * dimension..<(slice + 1) * dimension].map(Double.init)
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for (j, value) in row.enumerated() {
        objective.directions.floats[slice * objective.directions.rowStride + j] = Float(value / norm)
      }
    }
  }
}

extension MethodGolden.LossCase {
  /// Global and local ones.
  var allViews: Int { views + (local ?? 0) }

  /// `[views · n][d]` as `rows` of the script gives them.
  func rows(seed: Int) -> [Float] {
    func noise(_ seed: Int, _ scale: Double) -> [Double] {
      GoldenGenerator.values(seed: seed, count: n * d, scale: scale).map(Double.init)
    }
    if kind == "near" {
      let base = GoldenGenerator.values(seed: seed + 90, count: d).map(Double.init)
      // A product of the script, not of the generator.
      return (0..<allViews).flatMap { view in
        noise(seed + view, 1).enumerated().map { Float(base[$0.offset % d] + 1e-3 * $0.element) }
      }
    }
    let one = noise(seed, 1.4)
    let others = (1..<allViews).flatMap { view in
      zip(one, noise(seed + view, kind == "pairs" ? 1e-3 : 0.6)).map { Float($0 + $1) }
    }
    return one.map { Float($0) } + others
  }
}

extension MethodName: Decodable {}
