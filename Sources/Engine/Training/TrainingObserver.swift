import NeuralNet

/// Whoever runs a training or an evaluation: takes what it reports and may ask it to stop.
///
/// All calls come from the thread that called `run`, between two steps.
package protocol TrainingObserver {
  /// Takes the figures of a step.
  func record(_ figures: StepFigures) throws
  /// Takes what the training found on the images that it holds back; called between two steps, and before
  /// the state of the same step is saved.
  func evaluated(_ report: OnlineReport) throws
  /// Called before the state is copied for `save`: the observer may let go of the copy before, so that there
  /// is never more than one.
  func prepareToSave() throws
  /// Takes the state to resume from; returns when it is safe.
  func save(_ state: ResumableState) throws
  /// Takes a step whose loss or gradient is not finite; called once the run is done with it, and before the
  /// error that ends the run. `capture` can be written until this returns.
  func capture(_ capture: StepCapture) throws
  /// Asked between any two steps; `nil`: go on.
  var stopRequest: StopRequest? { get }
}

extension TrainingObserver {
  /// Nothing, for an observer that keeps no copies.
  package func prepareToSave() {}
  /// Nothing, for an observer of runs without evaluations.
  package func evaluated(_ report: OnlineReport) {}
  /// Nothing, for an observer that keeps no files.
  package func capture(_ capture: StepCapture) {}
}

/// A wish that a run ends before its end.
package enum StopRequest: Sendable, Equatable {
  /// Write a checkpoint; somebody will resume from it.
  case yield
  /// Write a checkpoint; nobody means to go on.
  case cancel
  /// Stop as things are.
  case cancelNow
}

/// How a run ended that did not fail.
package enum TrainingOutcome<Result> {
  /// It did all it was asked to do.
  case finished(Result)
  /// It stopped because of the request, having done what the request asks.
  case stopped(StopRequest)
}

extension TrainingOutcome: Sendable where Result: Sendable {}

/// The figures of one step, as they go into a metric line.
package struct StepFigures: Sendable, Equatable {
  /// From 1: the steps done, this one included.
  package let step: Int
  /// The zero-based epoch of the step.
  package let epoch: Int
  /// In the order in which people read them.
  package let figures: [Figure]

  /// The figure of that name.
  package subscript(name: String) -> Double? { figures[name] }
}

/// What a run can be resumed from: a tensor file and its place in the run.
package struct ResumableState: Sendable, Equatable {
  /// Steps done.
  package let step: Int
  /// Whole epochs done.
  package let epoch: Int
  /// The state itself.
  package let file: TensorFile
}
