/// What an update of Adam needs, computed once a step.
package struct AdamConstants {
  /// Learning rate over the bias correction of the first moment.
  package var stepSize: Float
  /// 1 / √(bias correction of the second moment).
  package var inverseRoot: Float
  /// Decay of the first moment.
  package var beta1: Float
  /// 1 − β₁, which the rounded decay does not give.
  package var gain1: Float
  /// Decay of the second moment.
  package var beta2: Float
  /// 1 − β₂.
  package var gain2: Float
  /// Added to the root.
  package var epsilon: Float
  /// Weight decay that is added to the gradient.
  package var gradientDecay: Float
  /// Factor of the value before the update: 1 − learning rate · decoupled decay.
  package var valueFactor: Float

  /// See the properties.
  package init(
    stepSize: Float, inverseRoot: Float, beta1: Float, gain1: Float, beta2: Float, gain2: Float,
    epsilon: Float,
    gradientDecay: Float,
    valueFactor: Float
  ) {
    self.stepSize = stepSize
    self.inverseRoot = inverseRoot
    self.beta1 = beta1
    self.gain1 = gain1
    self.beta2 = beta2
    self.gain2 = gain2
    self.epsilon = epsilon
    self.gradientDecay = gradientDecay
    self.valueFactor = valueFactor
  }
}
