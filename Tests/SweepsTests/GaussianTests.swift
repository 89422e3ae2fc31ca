import JSONText
import Platform
import Sweeps
import Testing

@Suite struct `The Gaussian process` {
  private func golden() throws -> (
    process: GaussianProcess, fit: GaussianFit, hyper: GaussianProcess.Hyperparameters, json: JSON
  ) {
    let json = try Golden.member("process")
    let features = (json["features"]?.array ?? []).map(\.doubles)
    let values = json["values"]?.doubles ?? []
    let hyper = GaussianProcess.Hyperparameters(
      inverseSquares: json["inverse_squares"]?.doubles ?? [], scale: json["scale"]?.double ?? 0,
      noise: json["noise"]?.double ?? 0)
    let process = GaussianProcess(features: features, groups: [0, 1, 2], values: values, hyper: hyper)
    let fit = GaussianFit(features: features, groups: [0, 1, 2], parametersCount: 3, values: values)
    return (try #require(process), fit, hyper, json)
  }

  @Test func `has scikit-learn's mean and variance`() throws {
    let (process, _, _, json) = try golden()
    let (means, variances) = (json["means"]?.doubles ?? [], json["variances"]?.doubles ?? [])
    #expect(means.count == 5)
    for (index, asked) in (json["asked"]?.array ?? []).enumerated() {
      let (mean, variance) = process.posterior(asked.doubles)
      #expect(agree(mean, means[index], within: 1e-9))
      #expect(agree(variance, variances[index], within: 1e-9))
    }
  }

  @Test func `has scikit-learn's likelihood and its slope`() throws {
    let (_, fit, hyper, json) = try golden()
    let (value, slope) = try #require(fit.likelihoodLoss(hyper))
    let constant = 12.0 / 2 * Mathematics.logarithm(2 * .pi)
    #expect(agree(-value - constant, json["log_likelihood"]?.double ?? 0, within: 1e-9))
    #expect(agree(-slope[3], json["slope_scale"]?.double ?? 0, within: 1e-8))
    // ln w = −2 ln l.
    for (ours, theirs) in zip(slope, json["slopes_log_length"]?.doubles ?? []) {
      #expect(agree(-ours, -theirs / 2, within: 1e-8))
    }
  }

  @Test func `has a loss whose slope agrees with central differences`() throws {
    let (_, fit, _, _) = try golden()
    let place = [1.5, 0.2, -1, 0.3, -3]
    let (_, slope) = fit.loss(place)
    for index in place.indices {
      let difference = central(1e-5) { shift in
        var moved = place
        moved[index] += shift
        return fit.loss(moved).value
      }
      #expect(agree(slope[index], difference, within: 1e-6), "\(index)")
    }
  }

  @Test func `has an improvement whose slope agrees with central differences`() throws {
    let (process, _, _, _) = try golden()
    let improvement = ExpectedImprovement(above: 1)
    func gain(_ x: [Double]) -> Double {
      let (mean, variance) = process.posterior(x)
      return improvement.value(mean: mean, variance: variance)
    }
    let x = [0.2, 0.7, 0.4]
    let at = process.posteriorWithSlopes(x, of: [0, 2])
    let slopes = improvement.valueWithSlopes(mean: at.mean, variance: at.variance)
    for (index, column) in [0, 2].enumerated() {
      let difference = central(1e-5) { shift in
        var moved = x
        moved[column] += shift
        return gain(moved)
      }
      let slope = slopes.meanSlope * at.meanSlopes[index] + slopes.varianceSlope * at.varianceSlopes[index]
      #expect(agree(slope, difference, within: 1e-6))
    }
  }

  @Test func `has logarithms of improvements that no Double can hold`() throws {
    let golden = try Golden.member("logarithms")["improvements"]?.array?.map(\.doubles) ?? []
    #expect(golden.count == 11)
    for row in golden {
      // A deviation of 1 once the least variance is added.
      let value = ExpectedImprovement(above: 0).value(mean: row[0], variance: 1 - 1e-12)
      #expect(agree(value, row[1], within: 1e-9), "\(row)")
    }
  }

  @Test func `finds length scales, and noise where there is some`() {
    var random = SweepRandom(seed: 3, number: 0, purpose: .candidates)
    let features = (0..<40).map { _ in [random.uniform(), random.uniform()] }
    let smooth = features.map { Mathematics.sine(6 * $0[0]) }
    let exact = GaussianFit(features: features, groups: [0, 1], parametersCount: 2, values: smooth)
      .hyperparameters()
    #expect(exact.noise < 1e-3)
    #expect(exact.inverseSquares[0] > 20 * exact.inverseSquares[1])
    let noisy = smooth.map { $0 + 0.3 * random.normal() }
    let rough = GaussianFit(features: features, groups: [0, 1], parametersCount: 2, values: noisy)
      .hyperparameters()
    #expect(0.02 < rough.noise && rough.noise < 0.3)
  }

  private func central(_ step: Double, _ function: (Double) -> Double) -> Double {
    (function(step) - function(-step)) / (2 * step)
  }
}
