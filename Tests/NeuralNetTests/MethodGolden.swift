import Foundation
import Recipe
import Tensors

@testable import NeuralNet

/// The numbers of `Golden/methods.json`; what each means stands in `make_methods.py`.
struct MethodGolden: Decodable {
  struct LossCase: Decodable, Sendable {
    let method: MethodName
    let kind: String
    let seed, views, n, d, slices: Int
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

  let losses: [LossCase]
  let models: [ModelCase]
  let average: Average
  let optimizers: [OptimizerCase]

  /// The file, read once; without it every test that needs it stops here.
  static let shared: MethodGolden = {
    do {
      guard let url = Bundle.module.url(forResource: "methods", withExtension: "json", subdirectory: "Golden")
      else { fatalError("methods.json is not among the resources") }
      return try JSONDecoder().decode(MethodGolden.self, from: Data(contentsOf: url))
    } catch {
      fatalError("methods.json: \(error)")
    }
  }()
}

extension MethodGolden {
  /// The method of that name with the constants of `make_methods.py`.
  static func method(_ name: MethodName, slices: Int = 40) -> any Method {
    var loss = LossSpecification(method: name, vicreg: VICReg(epsilon: 1e-4, batchNorm: .perView))
    loss.byol.momentum = shared.average.start
    loss.sigreg.slices = slices
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
  /// `[views · n][d]` as `rows` of the script gives them.
  func rows(seed: Int) -> [Float] {
    func noise(_ seed: Int, _ scale: Double) -> [Double] {
      GoldenGenerator.values(seed: seed, count: n * d, scale: scale).map(Double.init)
    }
    if kind == "near" {
      let base = GoldenGenerator.values(seed: seed + 90, count: d).map(Double.init)
      // A product of the script, not of the generator.
      return (0..<views).flatMap { view in
        noise(seed + view, 1).enumerated().map { Float(base[$0.offset % d] + 1e-3 * $0.element) }
      }
    }
    let one = noise(seed, 1.4)
    let others = (1..<views).flatMap { view in
      zip(one, noise(seed + view, kind == "pairs" ? 1e-3 : 0.6)).map { Float($0 + $1) }
    }
    return one.map { Float($0) } + others
  }
}

extension MethodName: Decodable {}
