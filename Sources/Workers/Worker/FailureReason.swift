import Datasets
import Importing
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
    case TrainingError.diverged, TrainingError.featuresNotFinite: .diverged
    case ChangedInput.dataset, ChangedInput.unreadable: .datasetChanged
    case let error as SystemError where error.isDiskFull: .diskFull
    case is ImportError, is TrainingError, is CheckpointError, is ConvolutionRecordError, is DatasetError,
      is RunFolderError,
      is ChangedInput:
      .badInput
    default: .workerError
    }
  }
}

/// The failed system call behind an error, if it was one that may succeed later without anybody's doing:
/// descriptors, threads or memory are short. `nil`: the error has another cause.
func shortage(behind error: any Error) -> SystemError? {
  let cause: SystemError? =
    switch error {
    case let error as SystemError: error
    case let error as RunFolderError: error.system
    case let error as DatasetError: error.system
    case let error as ImportError: error.system
    default: nil
    }
  return cause.flatMap { $0.passesByItself ? $0 : nil }
}
