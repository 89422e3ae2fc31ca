import NeuralNet

/// What an online evaluation found.
package struct OnlineReport: Sendable, Equatable {
  /// When it was.
  package struct Place: Sendable, Equatable {
    /// Which of the run's evaluations it is, from 1.
    package let number: Int
    /// Optimiser steps done.
    package let step: Int
    /// The zero-based epoch of the last of them.
    package let epoch: Int

    /// See the properties.
    package init(number: Int, step: Int, epoch: Int) {
      (self.number, self.step, self.epoch) = (number, step, epoch)
    }
  }

  /// When it was.
  package let place: Place
  /// In the order of the stream's line: accuracies, the held-back loss, the effective rank. What cannot be
  /// computed, as features are not finite, is NaN.
  package let figures: [Figure]
  /// How the features of the held-back images lie; `nil`: they are not finite.
  package let layout: FeatureLayout?

  /// The figure of that name.
  package subscript(name: String) -> Double? { figures[name] }
}

/// How the pooled features of the held-back images lie.
package struct FeatureLayout: Sendable, Equatable {
  /// Of the matrix of features, an image a row, the largest first.
  package let singularValues: [Double]
  /// The standard deviation of each dimension.
  package let deviations: [Double]
  /// Positions of the images in their split.
  package let images: [Int]
  /// Their labels; `nil`: they have none.
  package let labels: [Int]?
  /// The names of the classes; empty without labels.
  package let classes: [String]
  /// Where each image lies on the first two principal axes.
  package let points: [SIMD2<Double>]
  /// Shares of the variance that lie on these axes.
  package let explained: SIMD2<Double>
}

/// What an online evaluation has taken, in nanoseconds.
package struct OnlineTime: Sendable {
  /// Of the probe's steps.
  package var probe: UInt64 = 0
  /// Of all evaluations.
  package var evaluations: UInt64 = 0

  /// Nothing so far.
  package init() {}
}
