import Datasets
import Recipe
import Training

/// What the online evaluation of a training takes, as a share of the time of its steps.
package struct OnlineBenchmark {
  /// Images that are held back, and steps of an epoch on the others.
  package let heldBack: Int
  package let stepsPerEpoch: Int
  /// Median seconds of a step, that of the probe among them.
  package let stepSeconds: Double
  /// Mean seconds of the probe in a step.
  package let probeSeconds: Double
  /// Seconds of one evaluation, between two steps.
  package let evaluationSeconds: Double

  /// The share of an epoch's steps that probe and evaluation take, with an evaluation after each epoch.
  package var share: Double {
    (probeSeconds + evaluationSeconds / Double(stepsPerEpoch)) / (stepSeconds - probeSeconds)
  }

  /// Trains for `steps` steps, of which the first does not count, and evaluates once. Throws what opening the
  /// dataset and training throw.
  package init(_ preset: Preset, dataset name: String, batch: Int, steps: Int, threads: Int) throws {
    var specification = TrainSpecification.preset(preset)
    specification.online = OnlineSpecification()
    specification.batchSize = batch
    specification.maxSteps = steps
    specification.logEverySteps = 1
    let dataset = try DatasetCatalog().open(name, split: .train)
    let training = try Pretraining(specification, dataset: dataset, threads: threads)
    let watcher = Watcher()
    _ = try training.run(watcher)
    heldBack = dataset.count - specification.trainedCount(of: dataset.count)
    stepsPerEpoch = specification.stepsPerEpoch(imageCount: dataset.count)
    stepSeconds = Timing.median(watcher.rates.dropFirst().map { Double(batch) / $0 })
    let time = training.onlineTime ?? OnlineTime()
    probeSeconds = Double(time.probe) / 1e9 / Double(steps)
    evaluationSeconds = Double(time.evaluations) / 1e9
  }

  /// Notes the speed of each step.
  private final class Watcher: TrainingObserver {
    private(set) var rates: [Double] = []
    var stopRequest: StopRequest? { nil }

    func record(_ figures: StepFigures) {
      if let rate = figures["images_per_second"] { rates.append(rate) }
    }

    func save(_ state: ResumableState) {}
  }
}
