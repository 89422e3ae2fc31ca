import NeuralNet
import Parallel
import Recipe
import TensorElements
import Tensors

/// A linear classifier on the pooled features of a training, trained along with its steps.
///
/// It sees the features of every global view of the step's batch, as the step has computed them, and changes
/// nothing but itself: no gradient goes back into the encoder. Its parameters, `online.probe.weight` and
/// `online.probe.bias`, and its optimiser's state are parts of a checkpoint.
final class OnlineProbe {
  /// Adam with this rate, constant, without weight decay.
  private static let learningRate = 3e-3
  /// What the names of its parameters begin with.
  private static let name = "online.probe"

  private let head: LinearClassifier
  private let optimizer: Optimizer
  private let views: Int
  /// The labels of a batch's views.
  private var labels: [Int]

  /// Plans it for the features of `model`. Throws `SystemError` without memory.
  init(_ model: PretrainingModel, classes: Int) throws {
    views = model.configuration.views
    let rows = views * model.batchSize
    head = try LinearClassifier(
      Self.name, featureCount: model.pooledCount, classes: classes, batchSize: rows, team: model.compute.team,
      arena: model.arena)
    optimizer = try Optimizer(
      OptimizerSpecification(name: .adam, learningRate: Self.learningRate, weightDecay: 0),
      parameters: head.parameters, compute: head.compute, arena: model.arena)
    labels = Array(repeating: 0, count: model.arena.isCounting ? 0 : rows)
  }

  /// What a checkpoint keeps, where it lies.
  var state: [StoredTensor] {
    head.parameters.map { StoredTensor($0) } + optimizer.state.map { StoredTensor($0) }
  }

  /// Steps taken so far, which a resumed run sets.
  var stepCount: Int {
    get { optimizer.stepCount }
    set { optimizer.stepCount = newValue }
  }

  /// Draws the weights.
  func initialize(seed: UInt64) { head.initialize(seed: seed) }

  /// A step on the views of `images`, whose labels are among `known`; `features` are row-major
  /// `[views · images.count][D]`. A step that is not finite is not taken.
  func follow(_ features: Floats, images: ArraySlice<Int>, known: [Int]) {
    let count = images.count
    for (row, image) in images.enumerated() {
      for view in 0..<views { labels[view * count + row] = known[image] }
    }
    let result = head.step(features: features, count: views * count, labels: labels)
    let gradient = head.parameters.reduce(0) { $0 + head.compute.sumOfSquares($1.gradient) }
    guard result.loss.isFinite, gradient.isFinite else { return }
    optimizer.step(learningRate: Self.learningRate)
  }

  /// How many rows of `features` it gets right, row-major `[labels.count][D]`.
  func correct(_ features: Floats, labels: [Int]) -> Int {
    head.evaluate(features: features, labels: labels).correct
  }
}
