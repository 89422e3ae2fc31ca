/// The tree-structured Parzen estimator: draws candidates from the density of the better trials and takes the
/// one where that density is highest against the density of all others.
///
/// Multivariate: one kernel per trial over all parameters. Trials that are still running count among the
/// worse ones (a constant liar), so that trials side by side are different. Figures are the defaults of
/// Optuna 5.
package struct ParzenSearcher {
  private let space: SearchSpace
  private let observations: Observations
  private let used: UsedConfigurations

  /// Trials with a loss before the densities are used.
  package static let startupTrials = 10
  package static let candidatesCount = 24

  init(_ space: SearchSpace, _ observations: Observations, used: UsedConfigurations) {
    self.space = space
    self.observations = observations
    self.used = used
  }

  /// How many of `count` trials are the better ones: a tenth, at most 25.
  package static func betterCount(_ count: Int) -> Int { min(25, (count + 9) / 10) }

  /// The configuration of a trial; nil: there is none that is not used.
  func next(_ place: SearchPlace) -> Configuration? {
    var random = place.random(.configuration)
    let known = observations.known
    guard known.count >= Self.startupTrials else {
      return used.unused(&random) { space.configuration(atUnits: space.point(&$0)) }
    }
    let ranked = known.indices.sorted { (known[$0].loss, $0) < (known[$1].loss, $1) }
    let split = Self.betterCount(known.count)
    let better = ParzenEstimator(space, ranked.prefix(split).sorted().map { known[$0].configuration })
    let worse = ParzenEstimator(
      space, ranked.dropFirst(split).sorted().map { known[$0].configuration } + observations.running)
    return used.unused(&random) { random in
      best(better: better, worse: worse, &random)
    }
  }

  private func best(
    better: ParzenEstimator, worse: ParzenEstimator, _ random: inout SweepRandom
  ) -> Configuration {
    var best: (gain: Double, candidate: Configuration)?
    for _ in 0..<Self.candidatesCount {
      let candidate = better.draw(&random)
      let gain = better.logDensity(candidate) - worse.logDensity(candidate)
      let isUsed = used.contains(candidate)
      if isUsed { continue }
      if best.map({ gain > $0.gain }) ?? true { best = (gain, candidate) }
    }
    return best?.candidate ?? better.draw(&random)
  }
}
