import Kernels
import Parallel
import Recipe
import Tensors

/// An encoder, with its projector if an embedding is wanted, in eval mode: images in, features out,
/// normalised by the running statistics.
///
/// Needs no memory for a backward pass. One thread at a time uses it.
package final class EncoderInference {
  /// Most images at once.
  package let batchSize: Int
  /// Numbers that describe an image, D.
  package let featureCount: Int
  /// The images of the next call, planar `[count][3][S][S]`.
  package let input: Floats
  /// The parameters, named `encoder.…` and for an embedding `projector.…`, without gradients.
  package let parameters: [Parameter]
  /// The running statistics, named in the same way.
  package let buffers: [Buffer]
  /// The layers with a weight, in the order of the forward pass.
  package let layers: [PlannedLayer]
  /// How each layer is computed.
  package var convolutions: ConvolutionRecord { ConvolutionRecord(layers) }

  /// What the encoder computes.
  package var description: NetworkDescription { encoder.description }

  private let compute: Compute
  private let encoder: ResNet
  private let layer: EncoderLayer
  private let projector: Projector?
  private let output: Floats

  /// Plans the network and takes its memory. Parameters are zero until `initialize` or `load` sets them.
  ///
  /// `projector` is what follows the encoder; it is planned for layer `embedding`, which needs it.
  /// `convolutions`, `recorded` and `arena` as in `PretrainingModel`, with the same errors.
  package init(
    _ configuration: EncoderSpecification, projector head: ProjectorSpecification? = nil, imageSide: Int,
    batchSize: Int, team: ThreadTeam, layer: EncoderLayer = .output,
    convolutions: ConvolutionChoice = .direct,
    recorded: ConvolutionRecord? = nil, arena given: Arena? = nil
  ) throws {
    self.batchSize = batchSize
    self.layer = layer
    switch layer {
    case .pooled: featureCount = configuration.pooledCount
    case .output: featureCount = configuration.featureCount
    case .embedding:
      precondition(head != nil, "an embedding needs a projector")
      featureCount = head?.widths.last ?? 0
    }
    compute = Compute(team: team, convolutions: convolutions)
    let arena = try given ?? Arena()
    let plan = NetworkPlan(compute: compute, arena: arena, isTraining: false, recorded: recorded)
    input = try arena.allocate(batchSize * configuration.inputChannels * imageSide * imageSide)
    output = try arena.allocate(batchSize * featureCount)
    encoder = try ResNet(
      configuration, prefix: "encoder.", images: batchSize, imageSide: imageSide, views: 1, plan: plan)
    projector =
      layer == .embedding
      ? try head.map {
        try Projector(
          $0, prefix: "projector.", rows: batchSize, inputs: configuration.featureCount, views: 1, plan: plan)
      } : nil
    parameters = plan.parameters
    buffers = plan.buffers
    try plan.finish()
    layers = plan.layers
    try compute.allocate(from: arena)
  }

  /// The untrained encoder: the parameters that `PretrainingModel.initialize(seed:)` gives.
  package func initialize(seed: UInt64) {
    Initializer(seed: seed, team: compute.team).initialize(parameters)
    Initializer.reset(buffers)
  }

  /// Copies the encoder of a model with the same configuration, as it is now.
  package func load(from model: PretrainingModel) {
    let values = Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.value) })
    let statistics = Dictionary(uniqueKeysWithValues: model.buffers.map { ($0.name, $0.value) })
    for (name, target) in parameters.map({ ($0.name, $0.value) }) + buffers.map({ ($0.name, $0.value) }) {
      guard let source = values[name] ?? statistics[name] else {
        preconditionFailure("the model has no tensor \(name)")
      }
      compute.copy(source, to: target)
    }
  }

  /// The features of the first `count` images of `input`: row-major `[count][D]`, valid until the next call.
  package func features(count: Int) -> Floats {
    precondition((1...batchSize).contains(count), "a batch has 1 to batchSize images")
    let result = output.slice(0, count * featureCount)
    let features = encoder.evaluate(input, count: count, layer: layer)
    compute.planar(projector?.evaluate(features) ?? features, into: result)
    return result
  }
}
