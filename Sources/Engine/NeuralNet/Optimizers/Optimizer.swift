import Kernels
import Recipe
import Tensors

/// Changes parameters by their gradients; its state is part of a checkpoint.
///
/// One thread at a time uses it; a step runs on the team's threads and allocates nothing.
package final class Optimizer {
  /// A tensor of state beside one parameter.
  package struct StateTensor: Sendable {
    /// `optimizer.exp_avg.NAME`, `optimizer.exp_avg_sq.NAME` or `optimizer.momentum_buffer.NAME`.
    package let name: String
    /// The parameter's shape.
    package let shape: [Int]
    /// The elements; zero before the first step.
    package let value: Floats
  }

  /// The state of each parameter in turn; empty where the rule has none (SGD without momentum).
  package let state: [StateTensor]
  /// Steps taken so far. A checkpoint stores it; setting it goes on from there.
  package var stepCount = 0

  private let configuration: OptimizerSpecification
  private let compute: Compute
  private var groups: [Group] = []
  private let difference: Floats

  /// Parameters that change by one learning rate.
  private struct Group {
    let rate: Parameter.Rate
    let parameters: [Parameter]
    let updates: ParameterUpdates
    /// The constants of each parameter's next step, for the rules with momentum.
    var steps: [MomentumStep]
  }

  /// Takes memory for the state of `parameters`, which must have gradients. Throws `SystemError` without
  /// memory.
  package init(
    _ configuration: OptimizerSpecification, parameters: [Parameter], compute: Compute, arena: Arena
  ) throws {
    self.configuration = configuration
    self.compute = compute
    let kinds = Optimizer.stateKinds(configuration)
    var state: [StateTensor] = []
    for parameter in parameters {
      for kind in kinds {
        let value = try arena.allocate(parameter.value.count)
        compute.fill(value, with: 0)
        state.append(
          StateTensor(name: "optimizer.\(kind).\(parameter.name)", shape: parameter.shape, value: value))
      }
    }
    self.state = state
    difference = try arena.allocate(Optimizer.scratchCount(configuration, parameters))
    for rate in [Parameter.Rate.scheduled, .constant] {
      let indices = parameters.indices.filter { parameters[$0].rate == rate }
      guard !indices.isEmpty else { continue }
      let updates = indices.map { index in
        let own = state[index * kinds.count..<(index + 1) * kinds.count].map(\.value)
        return ParameterUpdate(
          value: parameters[index].value, gradient: parameters[index].gradient, first: own.first,
          second: own.dropFirst().first)
      }
      groups.append(
        Group(
          rate: rate, parameters: indices.map { parameters[$0] }, updates: ParameterUpdates(updates),
          steps: indices.map { _ in MomentumStep(learningRate: 0) }))
    }
  }

  /// One step with the present gradients.
  ///
  /// - Parameter constantRate: of the parameters whose rate is constant; `learningRate` if not given.
  package func step(learningRate: Double, constantRate: Double? = nil) {
    compute.measured("optimiser") {
      stepCount += 1
      for index in groups.indices {
        let rate = groups[index].rate == .constant ? constantRate ?? learningRate : learningRate
        update(&groups[index], learningRate: rate)
      }
    }
  }

  private func update(_ group: inout Group, learningRate: Double) {
    let constants = configuration
    switch constants.name {
    case .adam, .adamw:
      compute.adam(
        group.updates,
        AdamStep(
          step: stepCount, learningRate: Float(learningRate), beta1: constants.betas[0],
          beta2: constants.betas[1], epsilon: Float(constants.epsilon),
          weightDecay: Float(constants.weightDecay), decoupled: constants.name == .adamw))
    case .sgd:
      for index in group.steps.indices {
        group.steps[index] = MomentumStep(
          learningRate: Float(learningRate), momentum: Float(constants.momentum),
          nesterov: constants.nesterov, weightDecay: Float(constants.weightDecay))
      }
      compute.momentum(group.updates, group.steps)
    case .lars:
      for index in group.steps.indices {
        group.steps[index] = adaptedStep(group.parameters[index], constants, learningRate: learningRate)
      }
      compute.momentum(group.updates, group.steps)
    }
  }

  /// The step of one parameter under LARS: its decay and its trust ratio.
  private func adaptedStep(
    _ p: Parameter, _ constants: OptimizerSpecification, learningRate: Double
  ) -> MomentumStep {
    if constants.excludeBiasAndNorm, p.shape.count == 1 {
      return MomentumStep(learningRate: Float(learningRate), momentum: Float(constants.momentum))
    }
    let value = compute.sumOfSquares(p.value).squareRoot()
    let decay = constants.weightDecay
    var ratio = 1.0
    var appliedDecay = decay
    if constants.clip {
      let gradient = compute.sumOfSquares(p.gradient).squareRoot()
      if value > 0, gradient > 0 {
        ratio = min(constants.trust * value / (gradient + decay * value + 1e-8) / learningRate, 1)
      } else {
        // solo-learn then takes the gradient as it is, without decay.
        appliedDecay = 0
      }
    } else {
      let update = decayedGradientNorm(p, decay: decay)
      if value > 0, update > 0 { ratio = constants.trust * value / update }
    }
    return MomentumStep(
      learningRate: Float(learningRate), momentum: Float(constants.momentum),
      weightDecay: Float(appliedDecay), gradientScale: Float(ratio))
  }

  /// ‖g + λp‖.
  private func decayedGradientNorm(_ p: Parameter, decay: Double) -> Double {
    let update = difference.slice(0, p.value.count)
    compute.copy(p.value, to: update)
    compute.scale(update, by: Float(decay))
    compute.add(p.gradient, to: update)
    return compute.sumOfSquares(update).squareRoot()
  }

  private static func stateKinds(_ configuration: OptimizerSpecification) -> [String] {
    switch configuration.name {
    case .adam, .adamw: ["exp_avg", "exp_avg_sq"]
    case .sgd: configuration.momentum == 0 ? [] : ["momentum_buffer"]
    case .lars: ["momentum_buffer"]
    }
  }

  private static func scratchCount(_ configuration: OptimizerSpecification, _ parameters: [Parameter]) -> Int
  {
    guard configuration.name == .lars, !configuration.clip else { return 0 }
    return parameters.map(\.value.count).max() ?? 0
  }
}
