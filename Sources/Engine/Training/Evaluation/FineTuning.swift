import Datasets
import Kernels
import NeuralNet
import Parallel
import Recipe
import Tensors

/// A whole encoder with one Linear to the classes, trained by labels: the network of method `supervised`
/// with rates of their own for the encoder and the Linear, BatchNorm in training mode.
final class FineTuning {
  /// What is trained.
  let model: PretrainingModel
  private let constants: FineTuneSpecification
  private let epochs: Int
  private let backbone: Optimizer
  private let head: Optimizer

  /// Plans the network of a layer for images of that side.
  ///
  /// - Parameter recorded: how each layer was computed when the evaluation began; nil: it begins.
  /// - Throws: `SystemError` without memory, `ConvolutionRecordError` for a record of another network.
  init(
    _ specification: EvaluateSpecification, of training: TrainSpecification, layer: EncoderLayer,
    imageSide: Int, labels: Int, classes: Int, team: ThreadTeam, recorded: ConvolutionRecord? = nil,
    arena: Arena? = nil
  ) throws {
    constants = specification.finetune
    epochs = specification.epochs
    var encoder = training.encoder
    if layer == .pooled { encoder.fc = nil }
    model = try PretrainingModel(
      ModelConfiguration(encoder: encoder, method: Supervised(), classes: classes), imageSide: imageSide,
      batchSize: min(constants.batchSize, max(labels, 2)), team: team, convolutions: training.convolution,
      recorded: recorded, arena: arena)
    let rule = OptimizerSpecification(
      name: .sgd, weightDecay: constants.weightDecay, momentum: constants.momentum)
    let isEncoder = { (parameter: Parameter) in parameter.name.hasPrefix("encoder.") }
    backbone = try Optimizer(
      rule, parameters: model.parameters.filter(isEncoder), compute: model.compute, arena: model.arena)
    head = try Optimizer(
      rule, parameters: model.parameters.filter { !isEncoder($0) }, compute: model.compute,
      arena: model.arena)
  }

  /// Everything that changes from step to step, where it lies.
  var state: [StoredTensor] {
    model.parameters.map { StoredTensor($0) } + model.buffers.map { StoredTensor($0) }
      + (backbone.state + head.state).map { StoredTensor($0) }
  }

  /// Begins with the weights and running statistics of an encoder and a fresh Linear.
  func begin(with encoder: EncoderInference, seed: UInt64) {
    model.initialize(seed: seed)
    copy(from: tensors(encoder), to: tensors(model))
  }

  /// Gives the present weights to an encoder and a Linear that test them.
  func give(to encoder: EncoderInference, _ classifier: LinearClassifier) {
    copy(from: tensors(model), to: tensors(encoder))
    copy(from: tensors(model), to: classifier.parameters.map { ($0.name, $0.value) })
  }

  /// One step on planar views `[labels.count][3][S][S]` in that epoch.
  ///
  /// - Returns: the loss of the batch before the step, and its rows that were classified rightly.
  func step(_ views: Floats, labels: [Int], epoch: Int) -> (loss: Double, correct: Int) {
    let loss = model.step(views, count: labels.count, labels: labels)
    let decay = LinearProtocol.decay(epoch: epoch, of: epochs)
    backbone.step(learningRate: constants.backboneRate * decay)
    head.step(learningRate: constants.headRate * decay)
    let share = model.objectiveFigures["top1"] ?? 0
    return (loss, Int((share * Double(labels.count)).rounded()))
  }

  /// The rates of the encoder and of the Linear in that epoch.
  func rates(epoch: Int) -> (backbone: Double, head: Double) {
    let decay = LinearProtocol.decay(epoch: epoch, of: epochs)
    return (constants.backboneRate * decay, constants.headRate * decay)
  }

  private func tensors(_ encoder: EncoderInference) -> [(name: String, value: Floats)] {
    encoder.parameters.map { ($0.name, $0.value) } + encoder.buffers.map { ($0.name, $0.value) }
  }

  private func tensors(_ model: PretrainingModel) -> [(name: String, value: Floats)] {
    model.parameters.map { ($0.name, $0.value) } + model.buffers.map { ($0.name, $0.value) }
  }

  /// Copies what both have.
  private func copy(
    from source: [(name: String, value: Floats)], to target: [(name: String, value: Floats)]
  ) {
    let values = Dictionary(uniqueKeysWithValues: source.map { ($0.name, $0.value) })
    for (name, target) in target {
      if let value = values[name] { model.compute.copy(value, to: target) }
    }
  }
}
