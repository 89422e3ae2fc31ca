import Foundation

/// The numbers of `Golden/golden.json`; what each means stands in `make_golden.py`.
struct Golden: Decodable {
  struct ConvolutionCase: Decodable {
    let seed, n, c, h, w, k, kernel, stride, padding: Int
    let bias: Bool
    let output, d_input, d_weight: Summary
    let d_bias: Summary?
  }
  struct BatchNormCase: Decodable {
    let seed, n, c, side: Int
    let per_view, relu, residual: Bool
    let output, d_input, d_weight, d_bias, running_mean, running_var, evaluated: Summary
    let d_identity: Summary?
  }
  struct LinearCase: Decodable {
    let seed, n, inputs, outputs: Int
    let bias: Bool
    let output, d_input, d_weight: Summary
    let d_bias: Summary?
  }
  struct PoolCase: Decodable {
    let seed, n, c, side: Int
    let output, d_input: Summary
  }
  struct LossSettings: Decodable {
    let inv, `var`, cov, gamma, epsilon: Double
    let variance: String
    let per_view: Bool
  }
  struct LossCase: Decodable {
    let seed, n, d: Int
    let constant: Bool
    let settings: LossSettings
    let loss, inv, `var`, cov, std_mean, std_min: Double
    let corr, rankme: Double?
    let d_z1, d_z2: Summary
  }
  struct OptimizerCase: Decodable {
    let name: String
    let weight_decay: Double
    let betas: [Double]?
    let eps, momentum, trust: Double?
    let clip, exclude: Bool?
    let shapes: [[Int]]
    let rates: [Double]
    let parameters: [Summary]
  }
  struct ModelCase: Decodable {
    let name, arch: String
    let width, stem_padding, images, side, views: Int
    let stem_bias, last_bias: Bool
    let fc: Int?
    let widths: [Int]
    let loss: LossSettings
    let loss_value, inv, `var`, cov, std_mean, std_min: Double
    let embedding, features: Summary
    let gradients, buffers: [Summary]
  }
  struct Classifier: Decodable {
    let seed, n, features, classes: Int
    let losses: [Double]
    let weight, bias: Summary
  }

  let convolutions: [ConvolutionCase]
  let batch_norms: [BatchNormCase]
  let linears: [LinearCase]
  let pools: [PoolCase]
  let losses: [LossCase]
  let optimizers: [OptimizerCase]
  let models: [ModelCase]
  let adam_losses: [Double]
  let adam_images: Int
  let adam_rate: Double
  let classifier: Classifier
  let generator: [Double]

  /// The file, read once; without it every test that needs it stops here.
  static let shared: Golden = {
    do {
      guard let url = Bundle.module.url(forResource: "golden", withExtension: "json", subdirectory: "Golden")
      else { fatalError("golden.json is not among the resources") }
      return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
    } catch {
      fatalError("golden.json: \(error)")
    }
  }()
}

/// What is kept of a tensor: norm, products with generated vectors, and some entries.
struct Summary: Decodable {
  private static let probeSeed = 900_001
  private static let sampleSeed = 900_100

  let name: String?
  let shape: [Int]
  let norm: Double
  let dots: [Double]
  let entries: [Double]

  /// The relative error ‖x − reference‖ / ‖reference‖ of a tensor, estimated in three ways: the worst counts.
  ///
  /// A generated vector has mean square 1/3, so the products give the norm of the difference.
  func relativeError(of values: [Float]) -> Double {
    guard values.count == shape.reduce(1, *) else { return .infinity }
    var squares = 0.0
    var products = Array(repeating: 0.0, count: dots.count)
    for (index, value) in values.enumerated() {
      squares += Double(value) * Double(value)
      for probe in dots.indices {
        products[probe] +=
          Double(value) * GoldenGenerator.uniform(seed: Summary.probeSeed + probe, index: index)
      }
    }
    let byNorm = abs(squares.squareRoot() - norm) / norm
    let byDots = 3 * meanSquare(zip(products, dots).map { $0 - $1 })
    let typical = norm * norm / Double(values.count)
    let byEntries = meanSquare(
      entries.indices.map { entry in
        let index = Int(
          GoldenGenerator.bits(seed: Summary.sampleSeed, index: entry) % UInt64(values.count))
        return Double(values[index]) - entries[entry]
      })
    let worst = max(byNorm, byDots.squareRoot() / norm, (byEntries / typical).squareRoot())
    return worst.isNaN ? .infinity : worst
  }

  private func meanSquare(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
  }
}
