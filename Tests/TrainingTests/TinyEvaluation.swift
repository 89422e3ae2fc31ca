import NeuralNet
import Recipe
import Testing

@testable import Training

/// What tests of evaluations share: a small dataset, an encoder after one step, and an evaluation of it.
enum TinyEvaluation {
  static let dataset = "synthetic:classes=3,side=16,count=96,test=48,seed=5"

  /// The state after a step that changes the running statistics, but not yet much else.
  static func checkpoint(fc: Int? = nil, method: MethodName = .vicreg) throws -> Checkpoint {
    var specification = Tiny.specification
    specification.encoder.fc = fc
    specification.loss.method = method
    if method == .supervised { specification.views = 1 }
    specification.maxSteps = 1
    let recorder = Recorder()
    _ = try Tiny.training(specification).run(recorder)
    return try Checkpoint(#require(recorder.saved.last).file)
  }

  static func evaluation(
    _ specification: EvaluateSpecification, _ checkpoint: Checkpoint, threads: Int = 1,
    recorded: ConvolutionRecord? = nil, resumingFrom state: TensorFile? = nil
  ) throws -> Evaluation {
    try Evaluation(
      specification, checkpoint: checkpoint, train: Tiny.open(dataset, .train),
      test: Tiny.open(dataset, .test), threads: threads, recorded: recorded, resumingFrom: state)
  }

  /// The result of an evaluation that nothing stops.
  static func result(
    _ evaluation: Evaluation, _ recorder: Recorder = Recorder()
  ) throws -> EvaluationResult {
    guard case .finished(let result) = try evaluation.run(recorder) else { throw Stopped() }
    return result
  }

  /// An evaluation stopped that should not have.
  struct Stopped: Error {}
}
