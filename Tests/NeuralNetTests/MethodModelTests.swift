import JSONText
import Parallel
import Recipe
import Tensors
import Testing

@testable import NeuralNet

@Suite(.serialized) struct `The model of every method` {
  @Test(arguments: MethodGolden.shared.models.indices)
  func `gives PyTorch's loss, every parameter gradient and the running statistics`(index: Int) throws {
    let golden = MethodGolden.shared.models[index]
    let model = try Self.model(golden)
    let loss = model.step(try Self.views(golden), count: golden.images, labels: Self.labels(golden))
    guard golden.method != .sigreg else { return try expectOwnDirections(golden) }
    #expect(abs(loss - golden.loss) < 1e-5 * max(1, abs(golden.loss)), "\(golden.method) \(loss)")
    let figures = model.figures()
    for (part, expected) in golden.parts where part != "contrast_top1" {
      #expect(abs(try #require(figures[part]) - expected) < 1e-5 * max(1, abs(expected)), "\(part)")
    }
    for name in ["std_mean", "std_min", "corr", "rankme"] { #expect(figures[name]?.isFinite == true) }
    try expectGradients(model, golden)
    try expectBuffers(model, golden)
  }

  private func expectBuffers(_ model: PretrainingModel, _ golden: MethodGolden.ModelCase) throws {
    #expect(model.buffers.map(\.name) == golden.buffers.map(\.name))
    for (buffer, expected) in zip(model.buffers, golden.buffers) {
      if expected.norm < 1e-9 {
        // The mean of a Linear without bias on standardised rows is rounding.
        #expect(buffer.value.array.allSatisfy { abs($0) < 1e-6 }, "\(buffer.name)")
        continue
      }
      #expect(expected.relativeError(of: buffer.value.array) <= 1e-5, "\(buffer.name)")
    }
  }

  /// SIGReg draws its own directions: with those of the script, its gradient is passed back by hand.
  private func expectOwnDirections(_ golden: MethodGolden.ModelCase) throws {
    let model = try Self.model(golden, method: GivenDirections(seed: golden.seed + 80))
    let loss = model.step(try Self.views(golden), count: golden.images)
    #expect(abs(loss - golden.loss) < 1e-5 * abs(golden.loss))
    try expectGradients(model, golden)
    try expectBuffers(model, golden)
  }

  private func expectGradients(_ model: PretrainingModel, _ golden: MethodGolden.ModelCase) throws {
    #expect(model.parameters.map(\.name) == golden.gradients.map(\.name))
    #expect(model.parameters.map(\.shape) == golden.gradients.map(\.shape))
    let largest = golden.gradients.map(\.norm).max() ?? 0
    for (parameter, expected) in zip(model.parameters, golden.gradients) {
      let gradient = parameter.gradient.array
      if expected.norm < 1e-9 * largest {
        // A bias in front of a BatchNorm changes nothing: what is left is rounding.
        #expect(dot(gradient, gradient).squareRoot() < 1e-5 * largest, "\(golden.method) \(parameter.name)")
      } else {
        let error = expected.relativeError(of: gradient)
        #expect(error <= 1e-4, "\(golden.method) \(parameter.name): \(error)")
      }
    }
  }

  @Test func `ten steps of BYOL follow PyTorch's, and so does its moving average`() throws {
    let average = MethodGolden.shared.average
    let golden = try #require(MethodGolden.shared.models.first { $0.method == .byol })
    let model = try Self.model(golden)
    let optimizer = try Optimizer(
      OptimizerSpecification(name: .sgd, weightDecay: 1e-5, nesterov: true), parameters: model.parameters,
      compute: model.compute, arena: model.arena)
    let views = try Self.views(golden)
    for (step, expected) in average.losses.enumerated() {
      let loss = model.step(views, count: golden.images)
      #expect(abs(loss - expected) < 1e-3 * expected, "step \(step)")
      optimizer.step(learningRate: average.rate)
      model.follow(step: step, of: average.losses.count)
    }
    #expect(model.averagedParameters.map(\.name) == average.parameters.map(\.name))
    for (parameter, expected) in zip(model.averagedParameters, average.parameters) {
      #expect(expected.relativeError(of: parameter.value.array) <= 1e-3, "\(parameter.name)")
    }
  }

  @Test(arguments: MethodGolden.shared.models.indices)
  func `gives the same bits with one, two and three threads`(index: Int) throws {
    let golden = MethodGolden.shared.models[index]
    let views = try Self.views(golden)
    let runs = try [1, 2, 3].map { threads in
      let model = try Self.model(golden, threads: threads)
      model.initialize(seed: 7)
      let optimizer = try Optimizer(
        OptimizerSpecification(name: .sgd, weightDecay: 1e-4, nesterov: true), parameters: model.parameters,
        compute: model.compute, arena: model.arena)
      var figures: [[Figure]] = []
      for step in 0..<2 {
        _ = model.step(views, count: golden.images, labels: Self.labels(golden), number: step)
        figures.append(model.figures())
        optimizer.step(learningRate: 0.01, constantRate: 0.02)
        model.follow(step: step, of: 5)
      }
      let state = (model.parameters + model.averagedParameters).map(\.value.array)
      return (figures, state, model.buffers.map(\.value.array))
    }
    for run in runs.dropFirst() {
      #expect(run.0 == runs[0].0)
      #expect(run.1 == runs[0].1)
      #expect(run.2 == runs[0].2)
    }
  }

  static func model(
    _ golden: MethodGolden.ModelCase, method: (any Method)? = nil, threads: Int = 2
  ) throws -> PretrainingModel {
    let model = try PretrainingModel(
      ModelConfiguration(
        encoder: EncoderSpecification(width: 16, stemPadding: 2, stemBias: false, fc: nil),
        projector: ProjectorSpecification(golden.projector),
        predictor: ProjectorSpecification(golden.predictor),
        method: method
          ?? MethodGolden.method(
            golden.method, batchNorm: golden.batch_norm == "concatenated" ? .concatenated : .perView),
        views: golden.views,
        localViews: golden.local.map { LocalViews(count: $0, size: golden.local_side ?? 0) },
        classes: golden.classes),
      imageSide: golden.side, batchSize: golden.images, team: try ThreadTeam(threads: threads),
      convolutions: .automatic)
    for (index, parameter) in model.parameters.enumerated() {
      let count = parameter.value.count
      let isWeight = parameter.shape.count > 1
      let isNormWeight = !isWeight && parameter.name.hasSuffix("weight")
      let fanIn = Double(count / parameter.shape[0])
      parameter.value.copy(
        from: GoldenGenerator.values(
          seed: 7000 + index, count: count, scale: isWeight ? (6 / fanIn).squareRoot() : 0.25,
          offset: isNormWeight ? 1 : 0))
    }
    for average in model.averagedParameters {
      let source = model.parameters.first { "target.\($0.name)" == average.name }
      if let source { average.value.copy(from: source.value) }
    }
    return model
  }

  private static func views(_ golden: MethodGolden.ModelCase) throws -> Floats {
    let count = golden.images * 3 * golden.side * golden.side
    let one = GoldenGenerator.values(seed: golden.seed, count: count, scale: 2)
    let others = (1..<max(1, golden.views)).flatMap { view in
      zip(one, GoldenGenerator.values(seed: golden.seed + view, count: count)).map { Float($0 + $1) }
    }
    let side = golden.local_side ?? 0
    let local = (0..<(golden.local ?? 0)).flatMap { view in
      GoldenGenerator.values(
        seed: golden.seed + 100 + view, count: golden.images * 3 * side * side, scale: 2)
    }
    let values = one + others + local
    let views = try Arena().allocate(values.count)
    views.copy(from: values)
    return views
  }

  private static func labels(_ golden: MethodGolden.ModelCase) -> [Int] {
    guard golden.classes > 0 else { return [] }
    return (0..<golden.images).map {
      Int(GoldenGenerator.bits(seed: golden.seed + 9, index: $0) % UInt64(golden.classes))
    }
  }
}

/// SIGReg with given directions.
private struct GivenDirections: Method {
  static let name = SIGReg.name
  static let views = SIGReg.views
  static let takesLocalViews = SIGReg.takesLocalViews
  static let figures = SIGReg.figures
  static let hasProjector = SIGReg.hasProjector
  static let hasPredictor = SIGReg.hasPredictor
  static let standard = Self(seed: 0)
  static let published = SIGReg.published
  static let small = SIGReg.small
  static let fields = Fields<Self> {}
  let seed: Int
  private let sigreg = SIGReg(slices: 40)
  var batchNorm: BatchNormScope { sigreg.batchNorm }
  var branches: Branches { sigreg.branches }
  var diagnosed: DiagnosedEmbedding { sigreg.diagnosed }

  init(seed: Int) { self.seed = seed }

  func health(dimension: Int) -> HealthScale { sigreg.health(dimension: dimension) }

  func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective {
    let objective = try SIGRegObjective(sigreg, shape, plan: plan)
    MethodGolden.setDirections(objective, seed: seed, slices: 40, dimension: shape.dimension)
    return Given(objective: objective)
  }

  private final class Given: Objective {
    let objective: SIGRegObjective
    init(objective: SIGRegObjective) { self.objective = objective }
    var figures: [Figure] { objective.figures }
    func evaluate(_ outputs: BranchOutputs) -> (loss: Double, gradient: Activation) {
      objective.evaluate(outputs.embedding)
    }
  }
}

extension ProjectorSpecification {
  /// The head of a golden case; the standard where it has none.
  init(_ golden: MethodGolden.Head?) {
    guard let golden else {
      self.init()
      return
    }
    self.init(
      widths: golden.widths, lastBias: golden.last_bias, hiddenBias: golden.hidden_bias,
      lastBatchNorm: golden.last_batch_norm)
  }
}
