import Platform

/// How slowly a moving average follows its network: from `start` at the first update to `end` at the last.
///
/// Grill et al., "Bootstrap your own latent", NeurIPS 2020, section 3.2.
package struct MomentumSchedule: Sendable, Equatable {
  /// τ of the first update.
  package var start: Double
  /// τ after the last update.
  package var end: Double

  /// Names both ends.
  package init(start: Double, end: Double) {
    self.start = start
    self.end = end
  }

  /// τ of the zero-based `update` of `updates`: `end − (end − start)(cos(πk/K) + 1) / 2`.
  package func rate(update: Int, of updates: Int) -> Double {
    let share = Double(update) / Double(max(1, updates))
    return end - (end - start) * (Mathematics.cosine(.pi * share) + 1) / 2
  }
}
