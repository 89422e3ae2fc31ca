import Kernels
import NeuralNet
import Parallel
import Recipe
import Tensors

/// A captured step, repeated.
package struct StepReplay: Sendable {
  /// What came out this time, in the order of the capture.
  package let figures: [Figure]
  /// Where the first values that are not finite came up; `nil`: nowhere.
  package let first: FiniteCheck.Finding?
  /// The figures of the capture whose bits are others now, or that there are no more.
  package let differing: [String]
  /// Whether every figure has the bits of the capture.
  package var isReproduced: Bool { differing.isEmpty }

  /// Repeats forward pass, loss and backward pass of `captured` with the kernels that computed it.
  ///
  /// - Parameter threads: how many share the work, ≥ 1; they change nothing but the time.
  /// - Throws: `ReplayError` for a step of another instruction set, `CheckpointError`, `ConvolutionRecordError`
  ///   and `NetworkDescriptionError` for a file that does not fit its own network, `SystemError` where memory
  ///   is missing.
  package init(_ captured: CapturedStep, threads: Int) throws {
    let here = try InstructionSet.fromEnvironment()
    guard captured.before.instructionSet == here.rawValue else {
      throw ReplayError.otherInstructionSet(
        captured.before.instructionSet, here: here,
        canChange: InstructionSet.available.contains { $0.rawValue == captured.before.instructionSet })
    }
    let specification = captured.before.specification
    let model = try PretrainingModel(
      ModelConfiguration(specification, classes: captured.classes), imageSide: captured.side,
      batchSize: captured.batchSize, team: ThreadTeam(threads: threads),
      convolutions: specification.convolution, recorded: captured.convolutions, isChecked: true)
    // The optimiser does not run; its state is there so that the file has nothing that belongs to no one.
    let optimizer = try Optimizer(
      specification.optimizer, parameters: model.parameters, compute: model.compute, arena: model.arena)
    let state =
      (model.parameters + model.averagedParameters).map { StoredTensor($0) }
      + model.buffers.map { StoredTensor($0) } + optimizer.state.map { StoredTensor($0) }
    try state.load(captured.before.tensors, strictly: true)
    let views = try model.arena.allocate(captured.views.count)
    views.copy(from: captured.views)
    _ = model.step(views, count: captured.count, labels: captured.labels, number: captured.before.step)
    let figures = model.figures() + [Figure("grad_norm", model.gradientNorm())]
    self.figures = figures
    first = model.check?.first
    differing = captured.figures.filter { figures[$0.name]?.bitPattern != $0.value.bitPattern }.map(\.name)
  }
}

/// Why a captured step cannot be repeated here.
package enum ReplayError: Error, CustomStringConvertible {
  /// Another instruction set rounds differently.
  case otherInstructionSet(String, here: InstructionSet, canChange: Bool)

  package var description: String {
    switch self {
    case .otherInstructionSet(let recorded, let here, let canChange):
      "cannot repeat the step: it was computed with \(recorded), and this program computes with "
        + "\(here.rawValue), which rounds differently; "
        + (canChange
          ? "set \(InstructionSet.environmentName)=\(recorded)" : "this machine does not have \(recorded)")
    }
  }
}
