import Platform
import Recipe

/// The learning rate of every optimiser step of a run: linear warm-up, then constant or cosine.
///
/// The semantics are those of facebookresearch/vicreg's `adjust_learning_rate`: the rate is set before each
/// step from the zero-based step, warm-up rises from exactly 0 (so the first step changes nothing but the
/// statistics), and the cosine reaches its end one step after the last one. The last one is the last that the
/// run will take: `max_steps` shortens the cosine, and cuts a warm-up that would be longer than the run. A
/// pure function of the step, so a resumed run has nothing to restore.
package struct LearningRateSchedule: Sendable, Equatable {
  private let shape: ScheduleSpecification.Name
  private let peak: Double
  private let final: Double
  private let warmupSteps: Double
  private let totalSteps: Double

  /// - Parameters:
  ///   - specification: shape, warm-up in epochs, end of the cosine as a share of `peak`.
  ///   - peak: the rate after the warm-up.
  ///   - stepsPerEpoch: optimiser steps of one epoch, ≥ 1.
  ///   - stepsTotal: optimiser steps that it spans: those of the whole run, or more.
  package init(_ specification: ScheduleSpecification, peak: Double, stepsPerEpoch: Int, stepsTotal: Int) {
    self.shape = specification.name
    self.peak = peak
    self.final = peak * specification.finalFactor
    self.totalSteps = Double(stepsTotal)
    self.warmupSteps = min(specification.warmupEpochs * Double(stepsPerEpoch), totalSteps)
  }

  /// The rate of the zero-based `step`.
  package func rate(step: Int) -> Double {
    let step = Double(step)
    if step < warmupSteps { return peak * step / warmupSteps }
    switch shape {
    case .constant: return peak
    case .cosine:
      let length = totalSteps - warmupSteps
      guard length > 0 else { return peak }
      let share = 0.5 * (1 + Mathematics.cosine(Double.pi * (step - warmupSteps) / length))
      return peak * share + final * (1 - share)
    }
  }
}
