import Datasets
import Platform
import Recipe
import RunFolder
import Text
import Training

/// The estimates of the memory guard next to what real workers took at most.
package struct MemoryRunsBenchmark {
  /// One combination.
  package struct Row {
    /// What was run.
    package let name: String
    /// Bytes that the guard expects.
    package let estimate: Int
    /// Bytes that the worker took at most.
    package let peak: Int

    /// The estimate over the peak.
    package var ratio: Double { Double(estimate) / Double(max(peak, 1)) }
  }

  /// A training of a few steps, or the evaluation of what it left behind.
  private struct Training: Sendable {
    var name: String
    var preset = Preset.small
    var side: Int
    var count: Int
    var batch: Int
    var threads: Int
    var evaluations: [EvaluationProtocol] = []
    var change: @Sendable (inout TrainSpecification) -> Void = { _ in }
  }

  private static let trainings: [Training] = [
    Training(
      name: "small", side: 32, count: 2000, batch: 64, threads: 2, evaluations: [.linear, .logistic]),
    Training(name: "small, 1 thread, batch 512", side: 32, count: 2000, batch: 512, threads: 1),
    Training(name: "small, 60,000 images", side: 32, count: 60_000, batch: 64, threads: 2),
    Training(
      name: "small, side 64", side: 64, count: 2000, batch: 128, threads: 2, evaluations: [.logistic]),
    Training(name: "small, side 128", side: 128, count: 300, batch: 64, threads: 2),
    Training(name: "small, side 256", side: 256, count: 100, batch: 16, threads: 4),
    Training(name: "seed", preset: .seed, side: 32, count: 600, batch: 64, threads: 2) { $0.maxSteps = 2 },
    Training(name: "seed, batch 16, side 64", preset: .seed, side: 64, count: 64, batch: 16, threads: 1) {
      $0.maxSteps = 2
    },
    Training(
      name: "seed, width 32, lars", preset: .seed, side: 32, count: 600, batch: 128, threads: 2,
      evaluations: [.logistic]
    ) {
      $0.encoder.width = 32
      $0.optimizer.name = .lars
    },
    Training(
      name: "paper, resnet34, width 32", preset: .paper, side: 32, count: 600, batch: 64, threads: 8
    ) {
      $0.encoder.architecture = .resnet34
      $0.encoder.width = 32
    },
    Training(name: "small, projector 4096", side: 32, count: 600, batch: 64, threads: 2) {
      $0.projector.widths = [4096, 4096]
      $0.maxSteps = 2
    },
    Training(
      name: "resnet50, imagenet, views of 96", preset: .paper, side: 32, count: 100, batch: 16, threads: 2,
      evaluations: [.logistic]
    ) {
      $0.encoder.architecture = .resnet50
      $0.encoder.stem = .imagenet
      $0.encoder.width = 32
      $0.imageSize = 96
      $0.maxSteps = 2
    },
    Training(name: "resnet50, width 16", preset: .soloCIFAR, side: 32, count: 100, batch: 32, threads: 2) {
      $0.encoder.architecture = .resnet50
      $0.encoder.width = 16
      $0.maxSteps = 2
    },
    Training(name: "small, direct, side 20", side: 20, count: 2000, batch: 256, threads: 3) {
      $0.convolution = .direct
    },
  ]

  private let folder: String
  private let catalog = DatasetCatalog()

  /// Runs all combinations, each in a process of its own, and hands each to `report`.
  package static func run(report: (Row) -> Void) throws {
    let folder =
      "\(FileSystem.temporaryDirectory)/vicregd-memory-\(ProcessID.own)-\(SystemClock.monotonicNanoseconds)"
    try FileSystem.makeDirectories(folder)
    defer { try? FileSystem.removeTree(folder) }  // a folder left among temporary files harms nobody
    let bench = MemoryRunsBenchmark(folder: folder)
    for (index, training) in trainings.enumerated() {
      try bench.run(training, index: index, report)
    }
  }

  /// Hands out the training's row, then those of its evaluations.
  private func run(_ training: Training, index: Int, _ take: (Row) -> Void) throws {
    var specification = TrainSpecification.preset(training.preset)
    let dataset = "synthetic:side=\(training.side),count=\(training.count),test=200"
    specification.dataset.name = ByteString(dataset)
    specification.batchSize = training.batch
    specification.maxSteps = 6
    training.change(&specification)
    let extent = try catalog.extent(dataset)
    func images(_ count: Int) -> MemoryEstimate.Images {
      MemoryEstimate.Images(
        count: count, side: extent.side, planes: extent.planes, classes: extent.classCount)
    }
    let job = JobID(unixMilliseconds: 1, random: UInt32(index))
    let path = "\(folder)/\(index)"
    let peak = try peakBytes(
      RunSpec(job: job, attempt: 1, specification: .train(specification), threads: training.threads), at: path
    )
    take(
      Row(
        name: training.name,
        estimate: try MemoryEstimate.bytes(
          training: specification, images: images(training.count), threads: training.threads),
        peak: peak))
    for choice in training.evaluations {
      let evaluation = EvaluateSpecification(
        checkpoint: CheckpointReference(job: job, which: "last"), protocol: choice, features: .cached,
        dataset: EvaluationDataset(name: ByteString(dataset)), baselines: true, epochs: 1, seed: 0,
        layer: choice == .logistic ? .pooled : nil)
      let folder = RunFolder(path).checkpoints
      let checkpoint = try folder.list().last.map { folder.path(of: $0.name) }
      let estimate = try MemoryEstimate.bytes(
        evaluation: evaluation, of: specification, train: images(training.count), test: images(200),
        classes: extent.classCount, threads: training.threads)
      take(
        Row(
          name: "  evaluated, \(choice.rawValue)", estimate: estimate,
          peak: try peakBytes(
            RunSpec(
              job: job, attempt: 1, specification: .evaluate(evaluation), threads: training.threads,
              checkpointPath: checkpoint), at: "\(path)-\(choice.rawValue)")))
    }
  }

  /// Runs a worker and returns what its log says.
  private func peakBytes(_ spec: RunSpec, at path: String) throws -> Int {
    let folder = RunFolder(path)
    try folder.create()
    try folder.writeSpec(spec)
    let worker = try ChildProcess(
      FileSystem.executablePath(), ["work", path], logPath: folder.logPath)
    let epilogue = try worker.wait()
    let log = String(decoding: try File(folder.logPath, .read).readAll(), as: UTF8.self)
    let words = log.split(separator: "\n").last?.split(separator: " ") ?? []
    guard epilogue == .exited(code: 0), let most = words.firstIndex(of: "most"), most + 1 < words.count,
      let bytes = Int(words[most + 1])
    else { throw WorkerFailure(description: "the worker \(epilogue); its log:\n\(log)") }
    return bytes
  }
}

/// A worker of a benchmark that did not succeed.
package struct WorkerFailure: Error, CustomStringConvertible {
  package let description: String
}
