/// Puts the losses of trials that were stopped at different rungs on one scale, the lowest rung's.
///
/// The losses of a rung are scaled and moved so that those trials that have also reached the next one keep
/// their mean and spread: a trial that stands at the mean of the survivors scores what the survivors scored
/// below on average.
package struct RungLadder: Sendable {
  private var scales: [Scale] = []

  private struct Scale {
    var mean = 0.0
    var deviation = 1.0
    var targetMean = 0.0
    var targetDeviation = 1.0

    func score(_ loss: Double) -> Double {
      deviation > 0 ? targetMean + (loss - mean) / deviation * targetDeviation : targetMean
    }
  }

  /// Takes the losses of all trials, for each in the order of the rungs; `+∞`: diverged.
  package init(_ trials: [[Double]]) {
    let height = trials.map(\.count).max() ?? 0
    guard height > 0 else { return }
    scales = [Scale()]
    for rung in stride(from: 1, to: height, by: 1) {
      let both = trials.filter { $0.count > rung && $0[rung].isFinite && $0[rung - 1].isFinite }
      let below = scales[rung - 1]
      let (mean, deviation) = Self.moments(both.map { $0[rung] })
      let (targetMean, targetDeviation) = Self.moments(both.map { below.score($0[rung - 1]) })
      scales.append(
        Scale(mean: mean, deviation: deviation, targetMean: targetMean, targetDeviation: targetDeviation))
    }
  }

  /// A trial's loss at its last rung, on the scale of the first; `+∞` for one that has diverged.
  package func score(_ losses: [Double]) -> Double {
    guard let last = losses.last, last.isFinite, losses.count <= scales.count else { return .infinity }
    return scales[losses.count - 1].score(last)
  }

  private static func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
    guard !values.isEmpty else { return (0, 1) }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, variance.squareRoot())
  }
}
