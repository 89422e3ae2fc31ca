import Recipe
import Testing

@testable import Training

@Suite struct `The cost of a job` {
  private let images = MemoryEstimate.Images(count: 1000, side: 32, planes: 3, classes: 10)

  private func cost(
    _ preset: Preset = .small, images: MemoryEstimate.Images? = nil,
    _ change: (inout TrainSpecification) -> Void = { _ in }
  ) throws -> JobCost {
    var specification = TrainSpecification.preset(preset)
    change(&specification)
    let images = images ?? self.images
    return try TrainingCost(specification, images: images, threads: 2)
      .cost(of: specification, imageCount: images.count)
  }

  private func amount(_ cost: JobCost) throws -> Double { try #require(cost.work).amount }

  @Test func `has the memory of the planner, and the steps that will be taken`() throws {
    let specification = TrainSpecification.preset(.small)
    let small = try cost()
    #expect(
      small.memoryBytes == (try MemoryEstimate.bytes(training: specification, images: images, threads: 2)))
    #expect(small.epochs == 4 && small.stepImages == 64)
    let short = try cost { $0.maxSteps = 17 }
    #expect(short.epochs == 2)
    // 16 steps are an epoch, the last one of 40 images.
    let ratio = try amount(short) / amount(small)
    #expect(abs(ratio - 1064.0 / 4000) < 0.002, "\(ratio)")
    #expect(try cost { $0.dataset.limit = 100 }.epochs == 4)
    #expect(try cost { $0.dataset.limit = 50 }.stepImages == 50)
  }

  @Test func `grows with images, epochs and network, and not with the threads`() throws {
    let small = try amount(cost())
    #expect(try amount(cost { $0.epochs = 8 }) == 2 * small)
    #expect(try amount(cost(images: .init(count: 2000, side: 32, planes: 3, classes: 10))) > 1.9 * small)
    let wide = try amount(cost { $0.encoder.width = 64 })
    #expect(wide > 8 * small && wide < 16 * small)
    #expect(try amount(cost { $0.encoder.architecture = .resnet34 }) > 1.5 * small)
    let large = try amount(cost(images: .init(count: 1000, side: 64, planes: 3, classes: 10)))
    #expect(large > 3.5 * small && large < 4.5 * small)
    #expect(try amount(cost { $0.projector.widths = [4096, 4096] }) > 1.2 * small)
  }

  @Test func `compares only what is computed in the same way`() throws {
    #expect(try cost().work?.kind == "train")
    #expect(try cost { $0.convolution = .direct }.work?.kind == "train direct")
    #expect(try cost().work?.size == (try cost { $0.epochs = 50 }.work?.size))
    #expect(try cost().work?.size != (try cost(.seed).work?.size))
  }

  @Test func `has the space of the checkpoints that are kept and of the one that is written`() throws {
    func bytes(_ change: (inout TrainSpecification) -> Void) throws -> Int {
      try #require(
        cost {
          $0.epochs = 100; $0.logEverySteps = 1_000_000; change(&$0)
        }.diskBytes)
    }
    let one = try bytes { $0.checkpoint = CheckpointPolicy(everyEpochs: 100, initial: false, keepLast: 3) }
    let two = try bytes { $0.checkpoint = CheckpointPolicy(everyEpochs: 50, initial: false, keepLast: 3) }
    let checkpoint = two - one
    // A step that is not finite: as a checkpoint, and two views of 64 images.
    let capture = try bytes { $0.batchSize = 64 } - bytes { $0.batchSize = 32 }
    #expect(capture == 2 * 32 * 3 * 32 * 32 * 4 + 2 * 32 * 8)
    #expect(one > 2 * checkpoint)
    // 2.5 million parameters of a small network, and Adam's two numbers for each.
    #expect(checkpoint > 8 << 20 && checkpoint < 64 << 20)
    #expect(try bytes { $0.checkpoint.keepLast = 1 } == one + checkpoint)
    #expect(try bytes { $0.checkpoint.keepLast = 3 } == one + 3 * checkpoint)
    #expect(try bytes { $0.checkpoint.keepLast = 1_000 } == one + 99 * checkpoint)
    #expect(
      try bytes { $0.checkpoint.keepBest = KeepBest(metric: "loss", mode: .min, count: 2) }
        == one + 5 * checkpoint)
    #expect(try bytes { $0.checkpoint.keepEvery = 10 } == one + 13 * checkpoint)
    #expect(try bytes { $0.checkpoint.initial = true } == one + 4 * checkpoint)
    let lines = try bytes { $0.logEverySteps = 1 } - bytes { $0.logEverySteps = 1_000_000 }
    #expect(lines == 1600 * TrainingCost.lineBytes)
  }

  @Test(arguments: EvaluationProtocol.allCases)
  func `of an evaluation follows from its protocol`(choice: EvaluationProtocol) throws {
    let job = JobID(unixMilliseconds: 1, random: 1)
    var specification = EvaluateSpecification(
      checkpoint: CheckpointReference(job: job, which: "last"), protocol: choice, features: .cached,
      dataset: EvaluationDataset(name: "synthetic"), baselines: false, epochs: 50, seed: 0, layer: .pooled)
    func cost() throws -> JobCost {
      try JobCost(
        evaluation: specification, of: .preset(.small), train: images,
        test: .init(count: 200, side: 32, planes: 3, classes: 10), classes: 10, threads: 2)
    }
    let alone = try cost()
    let hasEpochs = choice.hasEpochs
    #expect(alone.epochs == (hasEpochs ? 50 : nil) && alone.stepImages == (hasEpochs ? 1000 : nil))
    #expect(alone.work?.kind == "evaluate \(choice.rawValue) cached")
    #expect(
      alone.memoryBytes
        == (try MemoryEstimate.bytes(
          evaluation: specification, of: .preset(.small), train: images,
          test: .init(count: 200, side: 32, planes: 3, classes: 10), classes: 10, threads: 2)))
    specification.baselines = true
    let withBaselines = try amount(cost())
    #expect(try withBaselines > 2 * amount(alone))
    specification.labelShare = 0.1
    #expect(try amount(cost()) < withBaselines)
    specification.labelShare = 1
    specification.seeds = 3
    #expect(try amount(cost()) > amount(alone))
    specification.seeds = 1
    if !choice.isLinear { return }
    specification.baselines = false
    specification.features = .augmented
    #expect(try amount(cost()) > 20 * amount(alone))
    #expect(try cost().work?.kind == "evaluate \(choice.rawValue) augmented")
  }
}
