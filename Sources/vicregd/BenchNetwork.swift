import Datasets
import JSONText
import Kernels
import NeuralNet
import Parallel
import Platform
import Recipe
import Tensors
import Training

/// The network that a benchmark measures, as its flags ask for it, and images for it.
struct BenchNetwork {
  /// The flags that ask for it.
  static let flags = [
    Setting(
      name: "preset", kind: .choice(Preset.allCases.map(\.rawValue)), standard: Preset.seed.rawValue,
      help: "network, loss and optimiser"),
    Setting(
      name: "batch", kind: .number(2...65536), standard: "256",
      help: "images; in a step each gives two views"),
    Setting(name: "threads", kind: .number(0...1024), standard: "0", help: "0: one a core"),
    Setting(
      name: "convolution", kind: .choice(ConvolutionChoice.allCases.map(\.rawValue)),
      standard: ConvolutionChoice.automatic.rawValue, help: "how convolutions are computed"),
    Setting(name: "side", kind: .number(4...1024), standard: "32", help: "side of the images in pixels"),
  ]

  let specification: TrainSpecification
  let batch: Int
  private(set) var threads: Int
  let convolution: ConvolutionChoice
  let side: Int
  let instructionSet: InstructionSet

  /// Reads the flags. Throws for an instruction set that this machine lacks.
  init(_ settings: Settings) throws {
    guard let preset = Preset(rawValue: settings.text("preset")),
      let convolution = ConvolutionChoice(rawValue: settings.text("convolution"))
    else { preconditionFailure("the table offers presets and choices only") }
    specification = .preset(preset)
    batch = settings.number("batch")
    let asked = settings.number("threads")
    threads = asked > 0 ? asked : CPU.availableCores
    self.convolution = convolution
    side = settings.number("side")
    instructionSet = try InstructionSet.fromEnvironment()
  }

  /// The same on another number of threads.
  func with(threads: Int) -> BenchNetwork {
    var network = self
    network.threads = threads
    return network
  }

  /// What is measured.
  var figures: [(String, JSON)] {
    [
      ("preset", .string(specification.preset.rawValue)), ("batch", .integer(batch)),
      ("threads", .integer(threads)), ("isa", .string(instructionSet.rawValue)),
      ("convolution", .string(convolution.rawValue)), ("side", .integer(side)),
    ]
  }

  /// Encoder, projector and loss with fresh weights.
  func model() throws -> PretrainingModel {
    let model = try PretrainingModel(
      ModelConfiguration(specification, classes: 10), imageSide: side, batchSize: batch,
      team: try ThreadTeam(threads: threads), convolutions: convolution)
    model.initialize(seed: 0)
    return model
  }

  /// The preset's optimiser of a model.
  func optimizer(of model: PretrainingModel) throws -> Optimizer {
    try Optimizer(
      specification.optimizer, parameters: model.parameters, compute: model.compute,
      arena: model.arena)
  }

  /// Random numbers in the place of both views of a batch.
  func randomViews() throws -> Floats {
    let views = try Arena().allocate(2 * batch * 3 * side * side)
    fill(views)
    return views
  }

  /// Batches of synthetic images for `steps` steps, augmented as the preset does, beside a model's steps.
  func augmentedViews(for model: PretrainingModel, steps: Int) throws -> BatchStream {
    let dataset = try DatasetCatalog().open("synthetic:side=\(side),count=\(4 * batch)", split: .train)
    let loader = try BatchLoader(
      dataset: dataset, views: specification.augmentation.views(), seed: 0, team: model.compute.team)
    return try BatchStream(loader: loader, batchSize: batch, steps: 0..<steps) { [batch] epoch in
      EpochOrder(
        count: dataset.count, batchSize: batch, shuffle: true, dropLast: true, seed: 0, epoch: epoch)
    }
  }

  /// Does a training step: forward, loss, backward and the optimiser's update.
  func step(_ model: PretrainingModel, _ optimizer: Optimizer, _ views: Floats) {
    _ = model.step(views, count: batch)
    optimizer.step(learningRate: specification.optimizer.learningRate)
  }

  /// The encoder in eval mode with fresh weights and random images.
  func encoder() throws -> EncoderInference {
    let encoder = try EncoderInference(
      specification.encoder, imageSide: side, batchSize: batch,
      team: try ThreadTeam(threads: threads), convolutions: convolution)
    encoder.initialize(seed: 0)
    fill(encoder.input)
    return encoder
  }

  private func fill(_ images: Floats) {
    var random = CounterRandom(seed: 0)
    for index in 0..<images.count { images[index] = random.uniform(-2, 2) }
  }
}

extension [Parameter] {
  /// Numbers in all parameters.
  var elementCount: Int { reduce(0) { $0 + $1.value.count } }
}
