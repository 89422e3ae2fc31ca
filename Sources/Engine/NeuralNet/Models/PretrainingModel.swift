import Kernels
import Parallel
import Recipe
import Tensors

/// The network of a method with its branches and objective, and all the memory that a training step needs,
/// planned before the first step.
///
/// One thread at a time uses it; a step runs on the team's threads and allocates nothing.
package final class PretrainingModel {
  /// What it was made from.
  package let configuration: ModelConfiguration
  /// Most images a step; each gives `configuration.views` views and the local ones.
  package let batchSize: Int
  /// Side of the square global views in pixels.
  package let imageSide: Int
  /// Every parameter that is trained, in state-dict order: `encoder.…`, `projector.…`, `predictor.…`,
  /// `head.…`.
  package let parameters: [Parameter]
  /// Every running statistic, in state-dict order, those of a moving average last.
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
  /// The parameters of the moving average, `target.encoder.…` and `target.projector.…`: a part of the state.
  package var averagedParameters: [Parameter] { average?.parameters ?? [] }

  /// Knows the first values of the steps so far that are not finite; `nil`: planned without such a check.
  package let check: FiniteCheck?

  private let online: NetworkBranch
  private let local: LocalBranch?
  private let predictor: Projector?
  private let average: MovingAverage?
  private let objective: any Objective
  private let diagnostics: EmbeddingDiagnostics
  private var last: (embedding: Activation, loss: Double)?

  /// Plans the network and takes its memory. Parameters are zero until `initialize` or a checkpoint sets
  /// them.
  ///
  /// With an `arena` that only counts, and a team without threads, it can only be asked what it takes.
  ///
  /// With `isChecked`, every step is searched for the first values that are not finite, which takes time.
  ///
  /// `convolutions` decides the last bits of results; a run that goes on passes the `recorded` convolutions
  /// of its beginning, which then count. Throws `SystemError` if the memory cannot be had,
  /// `ConvolutionRecordError` for a record of another network.
  package init(
    _ configuration: ModelConfiguration, imageSide: Int, batchSize: Int, team: ThreadTeam,
    convolutions: ConvolutionChoice = .direct, recorded: ConvolutionRecord? = nil, arena given: Arena? = nil,
    isChecked: Bool = false
  ) throws {
    precondition(batchSize >= 2, "batch statistics need two images")
    let method = configuration.method
    precondition(
      type(of: method).views.contains(configuration.views),
      "the method takes \(type(of: method).views) views")
    precondition(
      configuration.localViews == nil || type(of: method).takesLocalViews, "the method takes no local views")
    self.configuration = configuration
    self.batchSize = batchSize
    self.imageSide = imageSide
    compute = Compute(team: team, convolutions: convolutions)
    arena = try given ?? Arena()
    check = isChecked ? FiniteCheck(compute: compute) : nil
    let plan = NetworkPlan(
      compute: compute, arena: arena, isTraining: true, recorded: recorded, check: check)
    let images = configuration.views * batchSize
    online = try NetworkBranch(
      configuration, prefix: "", images: images, imageSide: imageSide,
      parts: configuration.normalizedParts(of: configuration.views), plan: plan)
    let averaged = plan.parameters
    local = try configuration.localViews.map {
      try LocalBranch(configuration, $0, batchSize: batchSize, plan: plan)
    }
    let shape = EmbeddingShape(
      views: configuration.views, localViews: configuration.localViews?.count ?? 0, batchSize: batchSize,
      dimension: configuration.embeddingCount, classes: configuration.classes, seed: configuration.seed)
    predictor = try PretrainingModel.predictor(configuration, rows: images, plan: plan)
    objective = try method.objective(shape, plan: plan)
    diagnostics = try EmbeddingDiagnostics(method.diagnosed, shape, plan: plan)
    parameters = plan.parameters
    average = try method.branches.target.map {
      try MovingAverage(
        configuration, $0, online: averaged, images: images, imageSide: imageSide, plan: plan)
    }
    buffers = plan.buffers
    try plan.finish()
    layers = plan.layers
    otherBytes = plan.otherBytes
    try check?.allocate(for: layers, from: arena)
    try compute.allocate(from: arena)
  }

  private static func predictor(
    _ configuration: ModelConfiguration, rows: Int, plan: NetworkPlan
  ) throws -> Projector? {
    guard let rate = configuration.method.branches.predictor else { return nil }
    precondition(
      configuration.predictor.widths.last == configuration.embeddingCount,
      "a prediction has as many numbers as an embedding")
    plan.rate = rate == .constant ? .constant : .scheduled
    defer { plan.rate = .scheduled }
    return try Projector(
      configuration.predictor, prefix: "predictor.", rows: rows, inputs: configuration.embeddingCount,
      views: configuration.normalizedParts(of: configuration.views), plan: plan)
  }

  /// Sets all parameters as PyTorch would, as a function of `seed` alone, and the running statistics to
  /// their start; a moving average begins with the network's parameters.
  package func initialize(seed: UInt64) {
    Initializer(seed: seed, team: compute.team).initialize(parameters)
    Initializer.reset(buffers)
    average?.reset()
  }

  /// Lets a moving average begin again with the network's parameters as they are now.
  package func resetAverage() { average?.reset() }

  /// Forward, loss and backward for the views of `count` images; returns the loss, and overwrites the
  /// gradients.
  ///
  /// Running statistics move on by one batch, with local views by two.
  ///
  /// - Parameters:
  ///   - views: begins with them, planar `[views · count][3][S][S]`: view one of every image, then view two;
  ///     then the local views in the same order, of their own side.
  ///   - count: 2 to `batchSize`; view two starts at image `count`.
  ///   - labels: one for each image at least, for a method that needs labels.
  ///   - number: the zero-based optimiser step, for an objective that draws random numbers.
  package func step(_ views: Floats, count: Int, labels: [Int] = [], number: Int = 0) -> Double {
    let outputs = forward(views, count: count, labels: labels, number: number)
    let (loss, gradient) = objective.evaluate(outputs)
    check?.objective(loss: loss, of: outputs.prediction ?? outputs.embedding, gradient: gradient)
    let dEmbedding = predictor?.backward(features: outputs.embedding, dEmbedding: gradient) ?? gradient
    let images = configuration.views * count
    online.backward(views, dEmbedding: dEmbedding.images(0..<images))
    local?.backward(
      localViews(views, count: count), dEmbedding: dEmbedding.images(images..<dEmbedding.images))
    last = (outputs.embedding.images(0..<images), loss)
    return loss
  }

  /// The loss that `step` would have, with batch statistics. Gradients are left undefined, and running
  /// statistics move on as in a step: the caller puts them back.
  package func loss(_ views: Floats, count: Int, labels: [Int] = [], number: Int = 0) -> Double {
    objective.evaluate(forward(views, count: count, labels: labels, number: number)).loss
  }

  private func forward(_ views: Floats, count: Int, labels: [Int], number: Int) -> BranchOutputs {
    precondition((2...batchSize).contains(count), "a batch has 2 to batchSize images")
    let images = configuration.views * count
    let globals = online.forward(views, count: images)
    let embedding =
      local?.forward(localViews(views, count: count), count: count, after: globals) ?? globals
    return BranchOutputs(
      embedding: embedding, prediction: predictor?.forward(embedding),
      target: average?.branch.forward(views, count: images), labels: labels, step: number)
  }

  /// Numbers of an image's pooled maps.
  package var pooledCount: Int { online.encoder.description.pooledCount }

  /// Copies the pooled maps of the global views of the last step, row-major `[views · count][pooledCount]`.
  package func takePooled(count: Int, into rows: Floats) {
    compute.planar(online.encoder.pooledMaps(count: configuration.views * count), into: rows)
  }

  /// The pooled maps of the first `count` of planar `images`, by the running statistics: row-major
  /// `[count][pooledCount]`. Changes no state; what a step keeps for `figures` is gone.
  ///
  /// - Parameter count: 1 to `views · batchSize`.
  package func evaluatePooled(_ images: Floats, count: Int, into rows: Floats) {
    precondition((1...configuration.views * batchSize).contains(count), "planned for fewer images")
    compute.planar(online.encoder.evaluate(images, count: count, layer: .pooled), into: rows)
  }

  private func localViews(_ views: Floats, count: Int) -> Floats {
    views.slice(configuration.views * count * 3 * imageSide * imageSide, localFloats(count))
  }

  /// Floats of the local views of `count` images.
  private func localFloats(_ count: Int) -> Int {
    configuration.localViews.map { $0.count * count * 3 * $0.size * $0.size } ?? 0
  }

  /// Lets a moving average follow, after the optimiser's zero-based step `number` of `steps`.
  package func follow(step number: Int, of steps: Int) { average?.update(step: number, of: steps) }

  /// The parts of the last step's loss, by name.
  package var objectiveFigures: [Figure] { objective.figures }

  /// What the last step's loss was made of, by name; then `loss`, and the diagnostics of the global views'
  /// embedding, which take about as long as some layers.
  package func figures() -> [Figure] {
    guard let last else { return [] }
    return objective.figures + [Figure("loss", last.loss)] + diagnostics.figures(last.embedding)
  }

  /// The L2 norm of all gradients together.
  package func gradientNorm() -> Double {
    check?.squares(of: parameters)
    return parameters.reduce(0) { $0 + compute.sumOfSquares($1.gradient) }.squareRoot()
  }

  /// A digest of the bits of all gradients.
  package func gradientDigest() -> BitDigest {
    parameters.reduce(into: BitDigest()) { compute.add($1.gradient, to: &$0) }
  }
}
