import Datasets
import Kernels
import NeuralNet
import Recipe

/// An evaluation of a frozen encoder by one of the protocols, step by step.
///
/// The result depends on the specification, the checkpoint and the instruction set alone.
package protocol Evaluation: AnyObject {
  /// Steps of the stream until the end.
  var stepsTotal: Int { get }
  /// Steps done.
  var step: Int { get }
  /// What the protocol shares with the others.
  var subjects: EvaluationSubjects { get }
  /// Evaluates to the end, or until the observer asks to stop.
  ///
  /// - Throws: `TrainingError.diverged` for features that are not finite, and what the observer throws.
  func run(_ observer: some TrainingObserver) throws -> TrainingOutcome<EvaluationResult>
}

extension Evaluation {
  /// The instruction set that computes the features; another one rounds differently.
  package var instructionSet: InstructionSet { subjects.instructionSet }
  /// How each layer of the encoder is computed: as suits this evaluation's batches, which are others than
  /// those that the encoder was trained with. An evaluation keeps what it began with.
  package var convolutions: ConvolutionRecord { subjects.encoder.convolutions }
}

/// The evaluation of `checkpoint`'s encoder that a specification describes; goes on from `state` if there is
/// one.
///
/// - Parameters:
///   - threads: how many share the work, ≥ 1; they change nothing but the time.
///   - recorded: the `convolutions` that an earlier attempt of the evaluation began with.
/// - Throws: `TrainingError` for splits that do not fit each other or a layer that the encoder lacks,
///   `CheckpointError` and `ConvolutionRecordError` for those of another evaluation, `SystemError` where
///   memory is missing.
package func makeEvaluation(
  _ specification: EvaluateSpecification, checkpoint: Checkpoint, train: ImageDataset, test: ImageDataset,
  threads: Int, recorded: ConvolutionRecord? = nil, resumingFrom state: TensorFile? = nil
) throws -> any Evaluation {
  let subjects = try EvaluationSubjects(
    specification, checkpoint: checkpoint, train: train, test: test, threads: threads, recorded: recorded)
  let state = try state.map { try EvaluationState($0, of: specification) }
  switch specification.protocol {
  case .linear, .linearSeed: return try LinearEvaluation(subjects, resumingFrom: state)
  case .logistic: return try LogisticEvaluation(subjects, resumingFrom: state)
  }
}

/// Thrown through the layers of an evaluation when its observer asks to stop.
struct EvaluationStop: Error {
  let request: StopRequest
}
