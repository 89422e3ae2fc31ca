import Kernels
import Parallel
import Recipe
import Tensors
import Testing

@testable import NeuralNet

@Suite(.serialized) struct `VICReg model` {
  @Test(arguments: Golden.shared.models.indices, ConvolutionChoice.allCases)
  func `gives PyTorch's loss, every parameter gradient and the running statistics`(
    index: Int, convolutions: ConvolutionChoice
  ) throws {
    let golden = Golden.shared.models[index]
    let model = try GoldenModel.make(golden, threads: 2, convolutions: convolutions)
    let views = try GoldenModel.views(golden)
    let loss = model.step(views, count: golden.images)
    let figures = model.figures()
    #expect(figures["loss"] == loss && relative(loss, golden.loss_value) < 1e-5)
    for (name, expected) in [
      ("inv", golden.inv), ("var", golden.var), ("cov", golden.cov), ("std_mean", golden.std_mean),
    ] {
      #expect(relative(try #require(figures[name]), expected) < 1e-5, "\(name)")
    }
    #expect(relative(try #require(figures["std_min"]), golden.std_min) < 1e-4)

    #expect(model.parameters.map(\.name) == golden.gradients.map(\.name))
    #expect(model.parameters.map(\.shape) == golden.gradients.map(\.shape))
    let largest = golden.gradients.map(\.norm).max() ?? 0
    for (parameter, expected) in zip(model.parameters, golden.gradients) {
      let gradient = parameter.gradient.array
      if expected.norm < 1e-9 * largest {
        // A bias in front of a BatchNorm changes nothing: what is left is rounding.
        #expect(dot(gradient, gradient).squareRoot() < 1e-5 * largest, "\(parameter.name)")
      } else {
        let error = expected.relativeError(of: gradient)
        #expect(error <= 1e-4, "\(parameter.name): \(error)")
      }
    }
    let norm = golden.gradients.reduce(0) { $0 + $1.norm * $1.norm }.squareRoot()
    #expect(relative(model.gradientNorm(), norm) < 1e-5)

    #expect(model.buffers.map(\.name) == golden.buffers.map(\.name))
    for (buffer, expected) in zip(model.buffers, golden.buffers) {
      #expect(expected.relativeError(of: buffer.value.array) <= 1e-5, "\(buffer.name)")
    }
    try expectFeatures(of: model, golden, views)
  }

  @Test func `ten Adam steps of the seed model follow PyTorch's losses`() throws {
    let golden = Golden.shared.models[0]
    let images = Golden.shared.adam_images
    let model = try GoldenModel.make(golden, threads: 2, batchSize: images)
    let optimizer = try Optimizer(
      OptimizerSpecification(), parameters: model.parameters, compute: model.compute, arena: model.arena)
    let views = try GoldenModel.views(golden, images: images)
    for (step, expected) in Golden.shared.adam_losses.enumerated() {
      let loss = model.step(views, count: images)
      #expect(relative(loss, expected) < 1e-3, "step \(step)")
      optimizer.step(learningRate: Golden.shared.adam_rate)
    }
  }

  @Test(arguments: [1, 2])
  func `one, two and three threads give the same bits`(case index: Int) throws {
    let golden = Golden.shared.models[index]
    let views = try GoldenModel.views(golden)
    let lars = OptimizerSpecification(
      name: .lars, weightDecay: 1e-4, trust: 0.02, clip: true, excludeBiasAndNorm: true)
    let runs = try [1, 2, 3].map { threads in
      let model = try GoldenModel.make(golden, threads: threads)
      model.initialize(seed: 7)
      let optimizer = try Optimizer(
        lars, parameters: model.parameters, compute: model.compute, arena: model.arena)
      var losses: [[Figure]] = []
      for _ in 0..<3 {
        _ = model.step(views, count: golden.images)
        losses.append(model.figures())
        optimizer.step(learningRate: 0.1)
      }
      return (losses, model.parameters.map(\.value.array), model.buffers.map(\.value.array))
    }
    for run in runs.dropFirst() {
      #expect(run.0 == runs[0].0)
      #expect(run.1 == runs[0].1)
      #expect(run.2 == runs[0].2)
    }
  }

  @Test func `a short batch gives what a model planned for it gives`() throws {
    let golden = Golden.shared.models[1]
    let exact = try GoldenModel.make(golden, threads: 2)
    let larger = try GoldenModel.make(golden, threads: 2, batchSize: golden.images + 5)
    // A full batch before it leaves old values behind.
    _ = larger.step(
      try GoldenModel.views(golden, images: golden.images + 5, seed: 3), count: golden.images + 5)
    for (target, source) in zip(larger.buffers, exact.buffers) { target.value.copy(from: source.value) }
    let views = try GoldenModel.views(golden)
    let parts = exact.step(views, count: golden.images)
    let other = larger.step(views, count: golden.images)
    #expect(relative(other, parts) < 1e-5)
    #expect(relative(larger.gradientNorm(), exact.gradientNorm()) < 1e-4)
  }

  private func expectFeatures(of model: PretrainingModel, _ golden: Golden.ModelCase, _ views: Floats) throws
  {
    for convolutions in ConvolutionChoice.allCases {
      let inference = try EncoderInference(
        GoldenModel.encoder(golden), imageSide: golden.side, batchSize: golden.images + 1,
        team: model.compute.team, convolutions: convolutions)
      inference.load(from: model)
      let count = golden.images * 3 * golden.side * golden.side
      inference.input.slice(0, count).copy(from: views.slice(0, count))
      let features = inference.features(count: golden.images).array
      #expect(golden.features.relativeError(of: features) <= 2e-5, "\(convolutions)")
    }
  }

  @Test(arguments: 1...6) func `maps that shrink to a pixel are encoded`(side: Int) throws {
    let inference = try EncoderInference(
      EncoderSpecification(width: 16, stemPadding: 1), imageSide: side, batchSize: 3,
      team: try ThreadTeam(threads: 2), convolutions: .automatic)
    inference.initialize(seed: 5)
    let image = 3 * side * side
    var random = CounterRandom(seed: 6)
    let images = (0..<3 * image).map { _ in random.uniform(-1, 1) }
    func features(_ pixels: ArraySlice<Float>, count: Int) -> [Float] {
      for (index, pixel) in pixels.enumerated() { inference.input[index] = pixel }
      return inference.features(count: count).array
    }
    let together = features(images[...], count: 3)
    let apart = (0..<3).flatMap { features(images[$0 * image..<($0 + 1) * image], count: 1) }
    #expect(together == apart)
    #expect(together.allSatisfy(\.isFinite) && Set(together).count > 100)
  }

  private func relative(_ value: Double, _ expected: Double) -> Double {
    abs(value - expected) / abs(expected)
  }
}

/// Models with the weights and views that `make_golden.py` generates.
enum GoldenModel {
  static func encoder(_ golden: Golden.ModelCase) -> EncoderSpecification {
    EncoderSpecification(
      architecture: golden.arch == "resnet34" ? .resnet34 : .resnet18, width: golden.width,
      stemPadding: golden.stem_padding, stemBias: golden.stem_bias, fc: golden.fc)
  }

  static func make(
    _ golden: Golden.ModelCase, threads: Int, batchSize: Int? = nil,
    convolutions: ConvolutionChoice = .automatic
  ) throws -> PretrainingModel {
    let model = try PretrainingModel(
      ModelConfiguration(
        encoder: encoder(golden),
        projector: ProjectorSpecification(widths: golden.widths, lastBias: golden.last_bias),
        method: VICReg(golden.loss)), imageSide: golden.side, batchSize: batchSize ?? golden.images,
      team: try ThreadTeam(threads: threads), convolutions: convolutions)
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
    return model
  }

  /// Both views of `images` images.
  static func views(_ golden: Golden.ModelCase, images: Int? = nil, seed: Int? = nil) throws -> Floats {
    let count = (images ?? golden.images) * 3 * golden.side * golden.side
    let seed = seed ?? golden.views
    let one = GoldenGenerator.values(seed: seed, count: count, scale: 2)
    let noise = GoldenGenerator.values(seed: seed + 1, count: count)
    let two = zip(one, noise).map { Float(Double($0) + Double($1)) }
    let views = try Arena().allocate(2 * count)
    views.copy(from: one + two)
    return views
  }
}
