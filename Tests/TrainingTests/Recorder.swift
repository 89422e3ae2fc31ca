import Datasets
import NeuralNet
import Recipe
import Text

@testable import Training

/// Takes everything that a run reports, and asks it to stop where a test wants it to.
final class Recorder: TrainingObserver {
  private let stop: (step: Int, request: StopRequest)?
  private(set) var figures: [StepFigures] = []
  private(set) var saved: [ResumableState] = []
  private(set) var reports: [OnlineReport] = []
  /// The compressed files of steps that were not finite.
  private(set) var captured: [(step: Int, bytes: [UInt8])] = []
  /// How often the run asked whether to stop.
  private var asked = 0

  /// Records only, or also asks to stop once `stop.step` questions have been answered with "go on".
  init(stop: (step: Int, request: StopRequest)? = nil) { self.stop = stop }

  func record(_ figures: StepFigures) { self.figures.append(figures) }

  func save(_ state: ResumableState) { saved.append(state) }

  func evaluated(_ report: OnlineReport) { reports.append(report) }

  func capture(_ capture: StepCapture) throws {
    var bytes: [UInt8] = []
    try capture.write { bytes += $0 }
    captured.append((capture.step, bytes))
  }

  var stopRequest: StopRequest? {
    defer { asked += 1 }
    guard let stop, asked >= stop.step else { return nil }
    return stop.request
  }
}

/// Trainings small enough for a test.
enum Tiny {
  /// A training of 6 steps in 2 epochs: 40 images of 16 × 16 in batches of 16, 16 and 8.
  static var specification: TrainSpecification {
    var specification = TrainSpecification.preset(.small)
    specification.encoder.fc = nil
    // The tests' own, so that a better preset changes no bits here.
    specification.augmentation = TrainSpecification.preset(.seed).augmentation
    specification.schedule = ScheduleSpecification(name: .constant, warmupEpochs: 0, finalFactor: 0)
    specification.dataset = DatasetSelection(name: ByteString(dataset), split: .train, limit: nil)
    specification.projector = ProjectorSpecification(widths: [32, 32], lastBias: true)
    specification.batchSize = 16
    specification.epochs = 2
    specification.logEverySteps = 2
    specification.seed = 11
    return specification
  }

  /// Its dataset.
  static let dataset = "synthetic:classes=4,side=16,count=40,seed=3"

  static func open(_ name: String = dataset, _ split: DatasetSelection.Split = .train) throws -> ImageDataset
  {
    try DatasetCatalog().open(name, split: split)
  }

  /// A run of `specification` with so many threads.
  static func training(
    _ specification: TrainSpecification = specification, threads: Int = 1,
    recorded: ConvolutionRecord? = nil, resumingFrom checkpoint: Checkpoint? = nil,
    rollbacks: Int = 0
  ) throws -> Pretraining {
    try Pretraining(
      specification, dataset: open(specification.dataset.name.string), threads: threads, recorded: recorded,
      resumingFrom: checkpoint, rollbacks: rollbacks)
  }

  /// The compressed bytes of a state.
  static func bytes(_ state: ResumableState) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try CheckpointFormat.write(state.file) { bytes += $0 }
    return bytes
  }
}
