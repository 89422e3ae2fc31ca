import Recipe
import Kernels
import Parallel
import Tensors

/// Encoder, projector and loss with all the memory that a training step needs, planned before the first step.
///
/// One thread at a time uses it; a step runs on the team's threads and allocates nothing.
package final class VICRegModel {
  /// Most images a step; each gives two views.
  package let batchSize: Int
  /// Side of the square images in pixels.
  package let imageSide: Int
  /// Every parameter, in state-dict order: `encoder.…`, then `projector.…`.
  package let parameters: [Parameter]
  /// Every running statistic, in state-dict order.
  package let buffers: [Buffer]
  /// Where the operations run; an optimiser shares it.
  package let compute: Compute
  /// Where all tensors lie; an optimiser takes its state from it.
  package let arena: Arena
  /// Bytes of memory besides the arena's.
  package let otherBytes: Int
  /// The layers with a weight, in the order of the forward pass.
  package let layers: [PlannedLayer]
  /// How each layer is computed.
  package var convolutions: ConvolutionRecord { ConvolutionRecord(layers) }

  private let encoder: ResNet
  private let projector: Projector
  private let loss: VICRegLoss

  /// Plans the network and takes its memory. Parameters are zero until `initialize` or a checkpoint sets
  /// them.
  ///
  /// With an `arena` that only counts, and a team without threads, it can only be asked what it takes.
  ///
  /// `convolutions` decides the last bits of results; a run that goes on passes the `recorded` convolutions
  /// of its beginning, which then count. Throws `SystemError` if the memory cannot be had,
  /// `ConvolutionRecordError` for a record of another network.
  package init(
    encoder encoderConfiguration: EncoderSpecification,
    projector projectorConfiguration: ProjectorSpecification,
    loss lossConfiguration: LossSpecification, imageSide: Int, batchSize: Int, team: ThreadTeam,
    convolutions: ConvolutionChoice = .direct, recorded: ConvolutionRecord? = nil, arena given: Arena? = nil
  ) throws {
    precondition(batchSize >= 2, "the loss needs two images")
    self.batchSize = batchSize
    self.imageSide = imageSide
    compute = Compute(team: team, convolutions: convolutions)
    arena = try given ?? Arena()
    let plan = NetworkPlan(compute: compute, arena: arena, isTraining: true, recorded: recorded)
    let views = lossConfiguration.batchNorm == .perView ? 2 : 1
    encoder = try ResNet(
      encoderConfiguration, prefix: "encoder.", images: 2 * batchSize, imageSide: imageSide, views: views,
      plan: plan)
    projector = try Projector(
      projectorConfiguration, prefix: "projector.", rows: 2 * batchSize,
      inputs: encoderConfiguration.featureCount, views: views, plan: plan)
    loss = try VICRegLoss(
      lossConfiguration, batchSize: batchSize,
      dimension: projectorConfiguration.widths.last ?? encoderConfiguration.featureCount, plan: plan)
    parameters = plan.parameters
    buffers = plan.buffers
    try plan.finish()
    layers = plan.layers
    otherBytes = plan.otherBytes
    try compute.allocate(from: arena)
  }

  /// Sets all parameters as PyTorch would, as a function of `seed` alone, and the running statistics to
  /// their start.
  package func initialize(seed: UInt64) {
    Initializer(seed: seed, team: compute.team).initialize(parameters)
    Initializer.reset(buffers)
  }

  /// Forward, loss and backward for the views of `count` images; the gradients are overwritten.
  ///
  /// `views` begins with them, planar `[2 · count][3][S][S]`: view one of every image, then view two.
  /// Running statistics move on by one batch. `diagnostics` also computes `corr` and `rankMe`, which takes
  /// about as long as some layers. 2 ≤ `count` ≤ `batchSize`; view two starts at image `count`.
  package func step(_ views: Floats, count: Int, diagnostics: Bool = false) -> LossComponents {
    precondition((2...batchSize).contains(count), "a batch has 2 to batchSize images")
    let features = encoder.forward(views, count: 2 * count)
    let embedding = projector.forward(features)
    let (components, dEmbedding) = loss.evaluate(embedding, diagnostics: diagnostics)
    let dFeatures = projector.backward(features: features, dEmbedding: dEmbedding)
    encoder.backward(views, dFeatures: dFeatures)
    return components
  }

  /// The L2 norm of all gradients together.
  package func gradientNorm() -> Double {
    parameters.reduce(0) { $0 + compute.sumOfSquares($1.gradient) }.squareRoot()
  }
}
