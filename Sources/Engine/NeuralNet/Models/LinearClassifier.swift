import Kernels
import Parallel
import Tensors

/// One Linear with softmax and cross-entropy on top: the head of linear evaluation.
///
/// One thread at a time uses it.
package final class LinearClassifier {
  /// How `initialize` draws the weights.
  package enum Initialization: Sendable, Equatable {
    /// PyTorch's default for a Linear.
    case uniform
    /// N(0, 0.01²) and no bias, as in the official linear evaluation.
    case normal
  }

  /// What one batch gave.
  package struct Result: Sendable, Equatable {
    /// Mean cross-entropy over the batch.
    package var loss: Double
    /// Rows whose largest score is that of their label.
    package var correct: Int
  }

  /// `NAME.weight` `[classes, D]` and `NAME.bias` `[classes]`.
  package let parameters: [Parameter]
  /// Where the operations run; an optimiser shares it.
  package let compute: Compute
  /// Where all tensors lie; an optimiser takes its state from it.
  package let arena: Arena

  private let featureCount: Int
  private let linear: Linear
  private let rows: Activation
  private let scores: Activation
  private let losses: Doubles
  /// Scores side by side, `[batchSize][classes]`.
  private let planarScores: Floats
  private let classes: Int

  /// Plans a head for at most `batchSize` rows of `featureCount` features, in an arena of its own if none is
  /// given. Throws `SystemError` without memory.
  package init(
    _ name: String = "head", featureCount: Int, classes: Int, batchSize: Int, team: ThreadTeam,
    arena given: Arena? = nil
  ) throws {
    precondition(featureCount >= 1 && classes >= 2 && batchSize >= 1, "sizes of a head are positive")
    self.featureCount = featureCount
    self.classes = classes
    compute = Compute(team: team)
    arena = try given ?? Arena()
    let plan = NetworkPlan(compute: compute, arena: arena, isTraining: true)
    linear = try Linear(
      name, rows: batchSize, inputs: featureCount, outputs: classes, bias: true, plan: plan)
    rows = try plan.activation(images: batchSize, channels: featureCount, side: 1)
    scores = try plan.activation(images: batchSize, channels: classes, side: 1)
    losses = try arena.allocateDoubles(2 * batchSize)
    planarScores = try arena.allocate(batchSize * classes)
    parameters = plan.parameters
    try compute.allocate(from: arena)
  }

  /// Sets weight and bias as a function of `seed`.
  package func initialize(seed: UInt64, _ initialization: Initialization = .uniform) {
    let initializer = Initializer(seed: seed, team: compute.team)
    switch initialization {
    case .uniform: initializer.initialize(parameters)
    case .normal:
      initializer.fillNormal(linear.weight.value, deviation: 0.01, stream: linear.weight.name)
      if let bias = linear.bias { compute.fill(bias.value, with: 0) }
    }
  }

  /// Forward and backward for `features`, row-major `[labels.count][D]`: the gradients are overwritten.
  package func step(features: Floats, labels: [Int]) -> Result {
    step(features: features, count: labels.count, labels: labels)
  }

  /// The same for `features`, row-major `[count][D]`, where there may be more labels at the end.
  package func step(features: Floats, count: Int, labels: [Int]) -> Result {
    let scores = forward(features, count: count)
    let result = crossEntropy(scores, labels: labels, replacesScores: true)
    linear.backwardParameters(input: rows.images(0..<count), dOutput: scores)
    return result
  }

  /// Scores for `features`, row-major `[n][D]`: `[n][classes]`, valid until the next call.
  package func scores(features: Floats) -> Floats {
    let count = features.count / featureCount
    let result = planarScores.slice(0, count * classes)
    compute.planar(forward(features, count: count), into: result)
    return result
  }

  /// Loss and accuracy for `features`, row-major `[labels.count][D]`.
  package func evaluate(features: Floats, labels: [Int]) -> Result {
    crossEntropy(forward(features, count: labels.count), labels: labels, replacesScores: false)
  }

  private func forward(_ features: Floats, count: Int) -> Activation {
    precondition(features.count == count * featureCount, "one label a row of features")
    let input = rows.images(0..<count)
    let output = scores.images(0..<count)
    compute.blocked(planar: features, into: input)
    linear.forward(input, output: output)
    return output
  }

  private func crossEntropy(_ scores: Activation, labels: [Int], replacesScores: Bool) -> Result {
    let found = compute.crossEntropy(scores, labels: labels, losses: losses, replacesScores: replacesScores)
    return Result(loss: found.loss, correct: found.correct)
  }
}
