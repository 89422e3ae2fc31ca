import Datasets
import NeuralNet
import Recipe
import Testing
import Text

@testable import Training

/// Trainings and evaluations whose views have another side than the stored images, on networks that are made
/// for large ones.
@Suite("Views of their own size")
struct ViewSizeTests {
  /// 16 × 16 pixels in the dataset, 27 × 27 in the views.
  private static var specification: TrainSpecification {
    var specification = Tiny.specification
    specification.encoder = EncoderSpecification(
      architecture: .resnet50, width: 16, stem: .imagenet, stemPadding: 0, stemBias: false,
      zeroInitResidual: true)
    specification.imageSize = 27
    return specification
  }

  @Test(arguments: [AugmentationSpecification.mirror, TrainSpecification.preset(.seed).augmentation])
  func `a training goes on in the middle of an epoch, bit for bit`(
    augmentation: AugmentationSpecification
  ) throws {
    var specification = Self.specification
    specification.augmentation = augmentation
    let whole = Recorder()
    _ = try Tiny.training(specification).run(whole)
    let first = Recorder(stop: (step: 4, request: .yield))
    _ = try Tiny.training(specification).run(first)
    let state = try #require(first.saved.last)
    let second = Recorder()
    _ = try Tiny.training(specification, threads: 3, resumingFrom: Checkpoint(state.file)).run(second)
    #expect(try Tiny.bytes(#require(second.saved.last)) == Tiny.bytes(#require(whole.saved.last)))
    specification.imageSize = 28
    let other = Recorder()
    _ = try Tiny.training(specification).run(other)
    #expect(other.figures.last?["loss"] != whole.figures.last?["loss"])
  }

  @Test(
    arguments: [EvaluationProtocol.logistic, .linear],
    [EvaluateSpecification.Features.cached, .augmented])
  func `an evaluation gives the encoder images of the side that it was trained with`(
    choice: EvaluationProtocol, features: EvaluateSpecification.Features
  ) throws {
    var training = Self.specification
    training.maxSteps = 1
    let recorder = Recorder()
    _ = try Tiny.training(training).run(recorder)
    let checkpoint = try Checkpoint(#require(recorder.saved.last).file)
    let dataset = "synthetic:classes=3,side=16,count=48,test=24,seed=5"
    let specification = EvaluateSpecification(
      checkpoint: CheckpointReference(job: JobID(unixMilliseconds: 1, random: 1), which: "last"),
      protocol: choice, features: features, dataset: EvaluationDataset(name: ByteString(dataset)),
      baselines: true, epochs: 2, seed: 2, layer: .pooled)
    let results = try [1, 2].map { threads in
      let evaluation = try Evaluation(
        specification, checkpoint: checkpoint, train: Tiny.open(dataset, .train),
        test: Tiny.open(dataset, .test), threads: threads)
      #expect(evaluation.subjects.encoder.description.imageSide == 27)
      #expect(evaluation.subjects.encoder.featureCount == 512)
      let figures = Recorder()
      guard case .finished = try evaluation.run(figures) else { throw Stopped() }
      return figures.figures.map { line in line.figures.filter { $0.name != "images_per_second" } }
    }
    #expect(results[0] == results[1])
  }

  private struct Stopped: Error {}

  /// Three local views of 9 × 9 pixels, in addition to two of 27 × 27 or 16 × 16.
  private static func local(_ method: MethodName) -> TrainSpecification {
    var specification = method == .vicreg ? Self.specification : Tiny.specification
    specification.loss.method = method
    specification.localViews = LocalViews(count: 3, size: 9, cropScale: 0.05...0.4)
    return specification
  }

  @Test(arguments: MethodName.allCases.filter(\.takesLocalViews))
  func `a training with local views goes on bit for bit, with any number of threads`(method: MethodName)
    throws
  {
    let specification = Self.local(method)
    let whole = Recorder()
    _ = try Tiny.training(specification).run(whole)
    let first = Recorder(stop: (step: 4, request: .yield))
    _ = try Tiny.training(specification, threads: 2).run(first)
    let state = try #require(first.saved.last)
    let second = Recorder()
    _ = try Tiny.training(specification, threads: 3, resumingFrom: Checkpoint(state.file)).run(second)
    #expect(try Tiny.bytes(#require(second.saved.last)) == Tiny.bytes(#require(whole.saved.last)))
    #expect(whole.figures.last?.figures.allSatisfy { $0.value.isFinite } == true)
  }

  @Test func `a recorded training with local views has a layer of each size, and tensors of one`() throws {
    var specification = Self.local(.barlowTwins)
    let training = try Tiny.training(specification)
    let layers = training.convolutions.names
    let locals = layers.keys.filter { $0.hasPrefix("local.") }
    #expect(locals.count == layers.count / 2 && layers["local.encoder.layer1.0.conv1"] != nil)
    let tensors = Set(training.checkpoint().tensors.keys)
    specification.localViews = nil
    let without = try Tiny.training(specification)
    #expect(tensors == Set(without.checkpoint().tensors.keys))
    #expect(!without.convolutions.names.keys.contains { $0.hasPrefix("local.") })
    #expect(throws: ConvolutionRecordError.self) {
      try Tiny.training(specification, recorded: training.convolutions)
    }
    _ = try Tiny.training(Self.local(.barlowTwins), recorded: training.convolutions)
  }

  @Test func `memory and work are those of the views`() throws {
    func cost(_ change: (inout TrainSpecification) -> Void) throws -> (bytes: Int, work: Double) {
      var specification = TrainSpecification.preset(.small)
      change(&specification)
      let images = MemoryEstimate.Images(count: 1000, side: 32, planes: 3, classes: 10)
      let cost = try TrainingCost(specification, images: images, threads: 2)
      return (cost.memoryBytes, cost.workPerImage)
    }
    let (standard, large) = (try cost { _ in }, try cost { $0.imageSize = 96 })
    #expect(large.bytes > 4 * standard.bytes && large.work > 7 * standard.work)
    #expect(try cost { $0.imageSize = 32 } == standard)
    let pooled = try cost {
      $0.imageSize = 96
      $0.encoder.stem = .imagenet
    }
    #expect(pooled.bytes < large.bytes / 2 && pooled.work < large.work / 8)
    #expect(try cost { $0.encoder.architecture = .resnet50 }.work > 1.5 * standard.work)
    let local = try cost { $0.localViews = LocalViews(count: 4, size: 16) }
    // Four views of a quarter of the pixels.
    #expect(local.work > 1.4 * standard.work && local.work < 1.8 * standard.work)
    #expect(local.bytes > standard.bytes)
    #expect(try cost { $0.localViews = LocalViews(count: 8, size: 16) }.bytes > local.bytes)
  }

  @Test func `a blur must fit into the views`() throws {
    var specification = Self.specification
    guard case .random(var recipe) = specification.augmentation else { return }
    recipe.blurKernel = 33
    specification.augmentation = .random(recipe)
    specification.imageSize = 17
    _ = try Tiny.training(specification)
    specification.localViews = LocalViews(size: 12)
    #expect(throws: DatasetError.blurTooWide(kernel: 33, side: 12)) { try Tiny.training(specification) }
    specification.localViews = nil
    specification.imageSize = 16
    #expect(throws: DatasetError.blurTooWide(kernel: 33, side: 16)) { try Tiny.training(specification) }
  }
}
