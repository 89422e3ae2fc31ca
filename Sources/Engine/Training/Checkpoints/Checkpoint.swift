import JSONText
import Recipe

/// The whole state of a pre-training run between two steps: what follows from it is the same, bit for bit, as
/// what would have followed without interruption. Beside it stays the run's `ConvolutionRecord`, which holds
/// from the first step to the last.
///
/// A pure value. Nothing in it depends on the time, the attempt or the number of threads.
package struct Checkpoint: Sendable, Equatable {
  /// Optimiser steps done.
  package let step: Int
  /// The zero-based epoch that the next step belongs to; equals `epochs` at the end of the run.
  package let epoch: Int
  /// Batches of that epoch that are done.
  package let position: Int
  /// What is being trained.
  package let specification: TrainSpecification
  /// Rollbacks after a divergence so far; each lowers the learning rate of what follows.
  package let rollbacks: Int
  /// The step of the last online evaluation; 0: there was none.
  package let evaluatedStep: Int
  /// The instruction set that computed it; another one rounds differently.
  package let instructionSet: String
  /// `encoder.…` and `projector.…` by the names of a PyTorch state dict, `optimizer.…` beside them, and
  /// `online.probe.…` with its `optimizer.…` where there is an online probe.
  package let tensors: [String: TensorValue]

  /// Rollbacks of a run at most; more than any policy allows.
  private static let rollbacksMax = 1_000

  /// A state.
  package init(
    step: Int, epoch: Int, position: Int, specification: TrainSpecification, instructionSet: String,
    rollbacks: Int = 0, evaluatedStep: Int = 0, tensors: [String: TensorValue]
  ) {
    self.step = step
    self.epoch = epoch
    self.position = position
    self.specification = specification
    self.instructionSet = instructionSet
    self.rollbacks = rollbacks
    self.evaluatedStep = evaluatedStep
    self.tensors = tensors
  }

  /// Reads the state that `file` holds.
  package init(_ file: TensorFile) throws(CheckpointError) {
    let metadata = try CheckpointMetadata(file.metadata)
    step = try metadata.natural("step")
    epoch = try metadata.natural("epoch")
    position = try metadata.natural("position")
    instructionSet = try metadata.text("isa")
    rollbacks =
      metadata.entries["rollbacks"] == nil ? 0 : try metadata.natural("rollbacks", max: Self.rollbacksMax)
    evaluatedStep =
      metadata.entries["evaluated_step"] == nil ? 0 : try metadata.natural("evaluated_step", max: step)
    do {
      specification = try TrainSpecification.parse(JSON.parse(try metadata.text("spec")))
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .metadata(key: "spec", "is not a training specification: \(error)")
    }
    tensors = file.tensors
  }

  /// Reads the compressed file at `path`; of its tensors those whose names are wanted.
  package init(
    path: String, keeping isKept: (String) -> Bool = { _ in true }
  ) throws(CheckpointError) {
    try self.init(CheckpointFormat.read(path: path, keeping: isKept))
  }

  /// The names of its tensors that hold a value that is not finite, in order.
  package var notFinite: [String] { tensors.filter { !$0.value.isFinite }.keys.sorted() }

  /// The tensor file of this state.
  package var file: TensorFile {
    var metadata = [
      // "pt" tells Python's libraries that shapes and names are PyTorch's.
      "format": "pt", "version": CheckpointFormat.version, "kind": "train", "step": String(step),
      "epoch": String(epoch), "position": String(position), "seed": String(specification.seed),
      "isa": instructionSet, "spec": specification.jsonText,
    ]
    if rollbacks > 0 { metadata["rollbacks"] = String(rollbacks) }
    if evaluatedStep > 0 { metadata["evaluated_step"] = String(evaluatedStep) }
    return TensorFile(metadata: metadata, tensors: tensors)
  }
}
