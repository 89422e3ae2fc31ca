import Text

/// How much each parameter has to do with whether a trial is among the best tenth: PED-ANOVA.
///
/// For each parameter two densities are compared, over a grid of at most 50 values: that of the best trials
/// and that of all trials. Their Pearson divergence, divided by the sum over the parameters, is the
/// parameter's share. A parameter that is not always active counts by how often it is.
/// Source: Watanabe, Bansal and Hutter, "PED-ANOVA", IJCAI 2023 (arXiv 2304.10255), and its extension to
/// conditions, arXiv 2601.20800; grid, prior and quantile are Optuna 5's.
package struct Importances: Sendable {
  /// Each parameter's share, the largest first; they add up to 1. Empty: there are fewer than two trials.
  package let shares: [Share]

  /// One parameter's part.
  package struct Share: Sendable, Equatable {
    package var pointer: ByteString
    package var value: Double
  }

  /// The method's name, for people.
  package static let method = "PED-ANOVA"
  /// Part of all trials that are the best ones.
  package static let bestPart = 0.1
  /// A parameter needs this many trials in which it is active.
  private static let trialsMin = 2

  package init(_ space: SearchSpace, _ observations: Observations) {
    let known = observations.known
    guard known.count >= 2 else {
      shares = []
      return
    }
    let losses = known.map(\.loss).sorted()
    let bestCount = max(1, Int((Self.bestPart * Double(losses.count)).rounded(.up)))
    let limit = losses[bestCount - 1]
    let best = known.filter { $0.loss <= limit }.map(\.configuration)
    let all = known.map(\.configuration)
    let divergences = space.parameters.map { Self.divergence($0, best: best, all: all) }
    let total = divergences.reduce(0, +)
    let even = 1 / Double(space.parameters.count)
    shares = zip(space.parameters, divergences)
      .map { Share(pointer: $0.pointer, value: total > 0 ? $1 / total : even) }
      .sorted { ($1.value, $0.pointer) < ($0.value, $1.pointer) }
  }

  private static func divergence(
    _ parameter: Parameter, best: [Configuration], all: [Configuration]
  ) -> Double {
    let grid = ImportanceGrid(parameter.domain)
    let bestValues = best.compactMap { $0[parameter.pointer] }
    let allValues = all.compactMap { $0[parameter.pointer] }
    guard grid.size > 1, allValues.count >= trialsMin, !bestValues.isEmpty else { return 0 }
    let bestDensity = grid.density(bestValues)
    let density = grid.density(allValues)
    var divergence = 0.0
    for (top, whole) in zip(bestDensity, density) {
      let excess = top / whole - 1
      divergence += whole * excess * excess
    }
    let bestActive = Double(bestValues.count) / Double(best.count)
    let active = Double(allValues.count) / Double(all.count)
    return bestActive * bestActive / active * divergence
  }
}
