import Parallel
import Recipe
import Tensors
import Testing

@testable import NeuralNet

@Suite struct `Initialisation and classifier` {
  private func model(seed: UInt64, threads: Int) throws -> PretrainingModel {
    let model = try PretrainingModel(
      ModelConfiguration(
        encoder: EncoderSpecification(width: 32), projector: ProjectorSpecification(widths: [128, 128]),
        method: VICReg()), imageSide: 16, batchSize: 2, team: try ThreadTeam(threads: threads))
    model.initialize(seed: seed)
    return model
  }

  @Test func `parameters have the distributions of PyTorch`() throws {
    for parameter in try model(seed: 1, threads: 2).parameters {
      let values = parameter.value.array.map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
        .squareRoot()
      let largest = values.map(abs).max() ?? 0
      let fanIn = Double(parameter.shape.dropFirst().reduce(1, *))
      switch parameter.role {
      case .norm:
        #expect(values.allSatisfy { $0 == (parameter.name.hasSuffix("weight") ? 1 : 0) })
      case .bias:
        #expect(largest > 0 && largest <= 0.2)
      case .weight where parameter.shape.count == 2 || parameter.name == "encoder.conv1.weight":
        let bound = 1 / fanIn.squareRoot()
        #expect(largest <= bound && largest > 0.95 * bound, "\(parameter.name)")
        #expect(abs(deviation / bound - (1.0 / 3).squareRoot()) < 0.05, "\(parameter.name)")
      case .weight:
        let fanOut = Double(parameter.shape[0] * parameter.shape[2] * parameter.shape[3])
        let expected = (2 / fanOut).squareRoot()
        #expect(abs(deviation / expected - 1) < 0.05, "\(parameter.name)")
        #expect(abs(mean) < 5 * expected / Double(values.count).squareRoot(), "\(parameter.name)")
        #expect(largest > 2.5 * expected && largest < 6.5 * expected, "\(parameter.name)")
      }
    }
  }

  @Test func `the same seed gives the same bits on any number of threads, another seed others`() throws {
    let one = try model(seed: 5, threads: 1).parameters.map(\.value.array)
    #expect(try model(seed: 5, threads: 3).parameters.map(\.value.array) == one)
    #expect(try model(seed: 6, threads: 1).parameters[0].value.array != one[0])
  }

  @Test func `the untrained encoder is the encoder of an untrained model`() throws {
    let trained = try model(seed: 5, threads: 1)
    let inference = try EncoderInference(
      EncoderSpecification(width: 32), imageSide: 16, batchSize: 2, team: try ThreadTeam(threads: 1))
    inference.initialize(seed: 5)
    for parameter in inference.parameters {
      let twin = try #require(trained.parameters.first { $0.name == parameter.name })
      #expect(twin.value.array == parameter.value.array)
    }
  }

  @Test func `five steps of the classifier follow PyTorch`() throws {
    let golden = Golden.shared.classifier
    let head = try LinearClassifier(
      featureCount: golden.features, classes: golden.classes, batchSize: golden.n + 2,
      team: try ThreadTeam(threads: 2))
    let optimizer = try Optimizer(
      OptimizerSpecification(name: .sgd, weightDecay: 1e-3), parameters: head.parameters,
      compute: head.compute,
      arena: head.arena)
    for (parameter, seed) in zip(head.parameters, [golden.seed + 1, golden.seed + 2]) {
      parameter.value.copy(from: GoldenGenerator.values(seed: seed, count: parameter.value.count, scale: 0.5))
    }
    let labels = (0..<golden.n).map {
      Int(GoldenGenerator.bits(seed: golden.seed + 3, index: $0) % UInt64(golden.classes))
    }
    let features = try head.arena.allocate(golden.n * golden.features)
    for (step, expected) in golden.losses.enumerated() {
      features.copy(
        from: GoldenGenerator.values(seed: golden.seed + 10 + step, count: features.count, scale: 2))
      let before = head.evaluate(features: features, labels: labels)
      let result = head.step(features: features, labels: labels)
      #expect(before == result)
      #expect(abs(result.loss - expected) < 1e-5 * expected)
      optimizer.step(learningRate: 0.1)
    }
    #expect(golden.weight.relativeError(of: head.parameters[0].value.array) < 1e-5)
    #expect(golden.bias.relativeError(of: head.parameters[1].value.array) < 1e-5)
  }
}
