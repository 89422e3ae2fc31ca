import Datasets
import Kernels
import NeuralNet
import Parallel
import Recipe
import Tensors
import Training

/// The network of a specification on some threads, as benchmarks run it, and images for it.
package struct BenchmarkNetwork {
  /// Of the training whose network it is; its batch size counts.
  package let specification: TrainSpecification
  /// Side of the images in pixels.
  package let imageSide: Int
  /// Threads that it runs on.
  package private(set) var threads: Int
  /// Images of a step; each gives `specification.views` views.
  package var batch: Int { specification.batchSize }
  /// Classes of the labels, for methods that need labels.
  private static let classes = 10

  /// A network for images of `imageSide` × `imageSide` pixels.
  package init(_ specification: TrainSpecification, imageSide: Int, threads: Int) {
    self.specification = specification
    self.imageSide = imageSide
    self.threads = threads
  }

  /// The same on another number of threads.
  package func with(threads: Int) -> BenchmarkNetwork {
    var network = self
    network.threads = threads
    return network
  }

  /// A model with fresh weights and its optimiser. Throws what their initialisers throw.
  package func training() throws -> BenchmarkTraining {
    let model = try PretrainingModel(
      ModelConfiguration(specification, classes: BenchmarkNetwork.classes), imageSide: imageSide,
      batchSize: batch, team: try ThreadTeam(threads: threads), convolutions: specification.convolution)
    model.initialize(seed: 0)
    let optimizer = try Optimizer(
      specification.optimizer, parameters: model.parameters, compute: model.compute, arena: model.arena)
    let labels = (0..<batch).map { $0 % BenchmarkNetwork.classes }
    return BenchmarkTraining(
      model: model, optimizer: optimizer, labels: labels,
      learningRate: specification.optimizer.learningRate)
  }

  /// Random numbers in the place of all views of a batch. Throws `SystemError` without memory.
  package func randomViews() throws -> Floats {
    let floats = specification.viewGroups(storedSide: imageSide).reduce(0) {
      $0 + $1.makers.count * batch * $1.viewSize
    }
    let views = try Arena().allocate(floats)
    fill(views)
    return views
  }

  /// Batches of synthetic images for `steps` steps, augmented as the specification says, beside the steps.
  package func augmentedViews(for model: PretrainingModel, steps: Int) throws -> BatchStream {
    let dataset = try DatasetCatalog().open("synthetic:side=\(imageSide),count=\(4 * batch)", split: .train)
    let loader = try BatchLoader(
      dataset: dataset, groups: specification.viewGroups(storedSide: imageSide), seed: 0,
      team: model.compute.team)
    return try BatchStream(loader: loader, batchSize: batch, steps: 0..<steps) { [batch] epoch in
      EpochOrder(
        count: dataset.count, batchSize: batch, shuffle: true, dropLast: true, seed: 0, epoch: epoch)
    }
  }

  /// The encoder in eval mode with fresh weights and random images. Throws what its initialiser throws.
  package func encoder() throws -> EncoderInference {
    let encoder = try EncoderInference(
      specification.encoder, imageSide: imageSide, batchSize: batch,
      team: try ThreadTeam(threads: threads), convolutions: specification.convolution)
    encoder.initialize(seed: 0)
    fill(encoder.input)
    return encoder
  }

  private func fill(_ images: Floats) {
    var random = CounterRandom(seed: 0)
    for index in 0..<images.count { images[index] = random.uniform(-2, 2) }
  }
}

/// A model and its optimiser, ready for steps.
package struct BenchmarkTraining {
  /// Network and objective.
  package let model: PretrainingModel
  /// Changes the model's parameters.
  package let optimizer: Optimizer
  let labels: [Int]
  let learningRate: Double

  /// Does a training step: forward, loss, backward, the optimiser's update and that of a moving average.
  package func step(_ views: Floats) {
    let number = optimizer.stepCount
    _ = model.step(views, count: model.batchSize, labels: labels, number: number)
    optimizer.step(learningRate: learningRate)
    model.follow(step: number, of: number + 1)
  }
}

extension [Parameter] {
  /// Numbers in all parameters.
  package var elementCount: Int { reduce(0) { $0 + $1.value.count } }
}
