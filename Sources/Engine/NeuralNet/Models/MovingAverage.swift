import Kernels
import Tensors

/// A second network whose parameters are the moving average of the first one's; its running statistics are
/// its own.
final class MovingAverage {
  /// Encoder and projector, forward only.
  let branch: NetworkBranch
  /// `target.encoder.…` and `target.projector.…`, without gradients.
  let parameters: [Parameter]
  private let sources: [Parameter]
  private let schedule: MomentumSchedule
  private let compute: Compute

  /// Plans the network; `online` are the parameters that it follows, in the same order.
  init(
    _ configuration: ModelConfiguration, _ schedule: MomentumSchedule, online: [Parameter], images: Int,
    imageSide: Int, plan: NetworkPlan
  ) throws {
    self.schedule = schedule
    compute = plan.compute
    let first = plan.parameters.count
    branch = try plan.withoutGradients {
      try NetworkBranch(
        configuration, prefix: "target.", images: images, imageSide: imageSide,
        parts: configuration.normalizedParts(of: configuration.views), plan: $0)
    }
    parameters = Array(plan.parameters[first...])
    sources = Array(online.prefix(parameters.count))
    precondition(
      zip(parameters, sources).allSatisfy { $0.name == "target.\($1.name)" },
      "the average has the parameters of its network")
  }

  /// Takes the network's parameters.
  func reset() {
    for (target, source) in zip(parameters, sources) { compute.copy(source.value, to: target.value) }
  }

  /// Follows the network after the zero-based optimiser step `step` of `steps`.
  func update(step: Int, of steps: Int) {
    let rate = schedule.rate(update: step, of: steps)
    for (target, source) in zip(parameters, sources) {
      compute.average(target.value, toward: source.value, rate: rate)
    }
  }
}
