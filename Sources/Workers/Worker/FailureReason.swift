import Datasets
import JobModel
import NeuralNet
import Platform
import RunFolder
import Training

/// The reason of a failed run, for programs; the error's own text is for people.
enum FailureReason {
  /// Sorts an error that ended a run. What is retried and what is not follows from it.
  static func of(_ error: any Error) -> Reason {
    switch error {
    case TrainingError.diverged: .diverged
    case ChangedInput.dataset: .datasetChanged
    case let error as SystemError where error.isDiskFull: .diskFull
    case is TrainingError, is CheckpointError, is ConvolutionRecordError, is DatasetError, is RunFolderError,
      is ChangedInput:
      .badInput
    default: .workerError
    }
  }
}
