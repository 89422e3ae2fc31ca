import Kernels
import NeuralNet
import Parallel
import Recipe
import TensorElements
import Tensors

/// A captured step, repeated.
package struct StepReplay: Sendable {
  /// What came out this time, in the order of the capture.
  package let figures: [Figure]
  /// Where the first values that are not finite came up; `nil`: nowhere.
  package let first: FiniteCheck.Finding?
  /// The names of the capture's figures that have other bits this time, or do not exist. Two NaNs count as
  /// the same: IEEE 754 leaves their sign and payload open.
  package let differing: [String]
  /// The digest of the gradients.
  package let gradients: BitDigest
  /// Whether the gradients have the bits of the capture, every NaN being the same.
  package let hasSameGradients: Bool
  /// The names of the tensors that were not finite before the step.
  package let notFiniteBefore: [String]
  /// Whether every figure and every gradient has the bits of the capture.
  package var isReproduced: Bool { differing.isEmpty && hasSameGradients }

  /// Repeats forward pass, loss and backward pass of `captured` with the kernels that computed it.
  ///
  /// - Parameter threads: how many share the work, ≥ 1; they change nothing but the time.
  /// - Throws: `ReplayError` for a step of another instruction set, `CheckpointError`,
  ///   `ConvolutionRecordError` and `NetworkDescriptionError` for a file that does not fit its own network,
  ///   `SystemError` where memory is missing.
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
    // The optimiser does not run; its state is planned so that the whole file can be read strictly.
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
    differing = captured.figures.filter { figure in
      figures[figure.name].map { !Self.isSame($0, figure.value) } ?? true
    }.map(\.name)
    gradients = model.gradientDigest()
    hasSameGradients = gradients.value == captured.gradients
    notFiniteBefore = captured.before.notFinite
  }

  private static func isSame(_ one: Double, _ other: Double) -> Bool {
    one.bitPattern == other.bitPattern || one.isNaN && other.isNaN
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
