import NeuralNet

/// A protocol at work on one subject: what all seeds share once, then a fit and a test for each seed.
///
/// A new protocol is a class of this kind, its case in `EvaluationProtocol`, and its line in
/// `Evaluation.probe(of:)`.
protocol Probe: AnyObject {
  /// Computes what all seeds share.
  func prepare(_ progress: any EvaluationProgress) throws
  /// Fits to the labels of that run and tests.
  ///
  /// - Parameters:
  ///   - run: counts the seeds, from 0.
  ///   - place: where an earlier attempt has left this run; `nil`: at its beginning.
  func evaluate(
    run: Int, from place: ProbePlace?, _ progress: any EvaluationProgress
  ) throws -> EvaluationOutcome
}

/// Where a run of a probe can be resumed.
struct ProbePlace: Sendable, Equatable {
  /// Whole epochs done.
  var epoch: Int
  /// Everything that changes from epoch to epoch.
  var tensors: [String: TensorValue]
}

/// What an evaluation has found about one subject with one seed.
struct EvaluationOutcome: Sendable, Equatable {
  /// What the test images are taken for.
  var test: RankedImages
  /// Share of the labelled training images that are classified rightly.
  var trainTop1: Double
  /// Protocol `logistic`: what its fit was.
  var fit: EvaluationResult.Fit?

  /// Share of the test images that are classified rightly.
  var top1: Double { test.top1 }
}

/// What a probe tells and asks while it works.
protocol EvaluationProgress {
  /// To be called often.
  ///
  /// - Throws: `EvaluationStop` where the observer asks to stop.
  func proceed() throws
  /// Reports figures after step `step` of the present part, from 1; nothing for a step that has been
  /// reported. Names get the subject's own ending, except `lr` and `images_per_second`.
  func report(step: Int, epoch: Int?, _ figures: [Figure]) throws
  /// Notes where the run could go on, and saves that with `isSaved`.
  func reached(_ place: ProbePlace, isSaved: Bool) throws
}

/// Thrown through the layers of an evaluation when its observer asks to stop.
struct EvaluationStop: Error {
  let request: StopRequest
}
