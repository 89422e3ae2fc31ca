import Datasets
import Platform
import Recipe
import RunFolder
import Training

/// What a worker does for a checkpoint, and what a resumed one does.
package enum CheckpointBenchmark {
  /// Writes checkpoints of a preset's training into `folder` and reads them back: `rounds` times after one
  /// that does not count. Throws what training, writing and reading throw.
  package static func rounds(
    _ count: Int, of preset: Preset, folder: CheckpointFolder, threads: Int
  ) throws -> [Round] {
    let training = try trained(preset, threads: threads)
    return try (0...count).map { _ in try Round(training, folder, threads: threads) }.dropFirst().map { $0 }
  }

  /// What one checkpoint took.
  package struct Round {
    /// Of all tensors together.
    package let tensorBytes: Int
    /// Compressed.
    package let fileBytes: Int
    /// Copying the state, for which the training waits.
    package let copySeconds: Double
    /// Compressing, hashing, writing and syncing, which happens beside the training.
    package let writeSeconds: Double
    /// Reading and decompressing.
    package let readSeconds: Double

    init(_ training: Pretraining, _ folder: CheckpointFolder, threads: Int) throws {
      let start = SystemClock.monotonicNanoseconds
      let checkpoint = training.checkpoint()
      let copied = SystemClock.monotonicNanoseconds
      let manifest = try folder.store(step: checkpoint.step, epoch: checkpoint.epoch) { sink in
        try CheckpointFormat.write(checkpoint.file, threads: threads, to: sink)
      }
      let written = SystemClock.monotonicNanoseconds
      let read = try Checkpoint(path: folder.path(of: manifest.name))
      readSeconds = Double(SystemClock.monotonicNanoseconds - written) / 1e9
      writeSeconds = Double(written - copied) / 1e9
      copySeconds = Double(copied - start) / 1e9
      tensorBytes = read.tensors.values.reduce(0) { $0 + $1.byteCount }
      fileBytes = manifest.bytes
    }
  }

  /// A training after its first step, so that the optimiser's state is as hard to compress as ever.
  private static func trained(_ preset: Preset, threads: Int) throws -> Pretraining {
    var specification = TrainSpecification.preset(preset)
    specification.dataset = DatasetSelection(name: "synthetic:count=16", split: .train, limit: nil)
    specification.batchSize = 16
    specification.maxSteps = 1
    let dataset = try DatasetCatalog().open(specification.dataset.name.string, split: .train)
    let training = try Pretraining(specification, dataset: dataset, threads: threads)
    _ = try training.run(Bystander())
    return training
  }

  /// Lets a training run and keeps nothing of what it says.
  private struct Bystander: TrainingObserver {
    func record(_ figures: StepFigures) {}
    func save(_ state: ResumableState) {}
    var stopRequest: StopRequest? { nil }
  }
}
