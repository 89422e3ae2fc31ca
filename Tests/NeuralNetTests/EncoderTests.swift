import Kernels
import Parallel
import Recipe
import Tensors
import Testing

@testable import NeuralNet

@Suite(.serialized) struct Encoders {
  @Test(arguments: EncoderGolden.shared.cases.indices, ConvolutionChoice.allCases)
  func `give torchvision's features, gradients and running statistics`(
    index: Int, convolutions: ConvolutionChoice
  ) throws {
    let golden = EncoderGolden.shared.cases[index]
    let encoder = try TrainedEncoder(golden, convolutions: convolutions)
    let count = golden.images * 3 * golden.side * golden.side
    let images = try encoder.floats(GoldenGenerator.values(seed: golden.seed, count: count, scale: 2))
    let features = try encoder.pass(images, count: golden.images, gradientSeed: golden.seed + 1)
    #expect(golden.features.relativeError(of: features) <= 1e-5, "\(golden.name)")

    let parameters = encoder.plan.parameters
    #expect(parameters.map(\.name) == golden.parameters.map { "encoder.\($0.name)" })
    #expect(parameters.map(\.shape) == golden.parameters.map(\.shape))
    let largest = golden.parameters.map(\.norm).max() ?? 0
    for (parameter, expected) in zip(parameters, golden.parameters) {
      let gradient = parameter.gradient.array
      let norm = dot(gradient, gradient).squareRoot()
      if expected.norm < 1e-9 * largest {
        // A bias in front of a BatchNorm changes nothing, nor does what a weight of 0 hides.
        #expect(norm < 1e-5 * largest, "\(golden.name), \(parameter.name)")
      } else {
        #expect(abs(norm / expected.norm - 1) <= 1e-4, "\(golden.name), \(parameter.name)")
      }
    }
    for expected in golden.gradients where expected.norm >= 1e-9 * largest {
      let parameter = try #require(parameters.first { $0.name == "encoder.\(expected.name ?? "")" })
      let error = expected.relativeError(of: parameter.gradient.array)
      #expect(error <= 1e-4, "\(golden.name), \(parameter.name): \(error)")
    }
    for expected in golden.buffers {
      let buffer = try #require(encoder.plan.buffers.first { $0.name == "encoder.\(expected.name ?? "")" })
      #expect(expected.relativeError(of: buffer.value.array) <= 1e-5, "\(golden.name), \(buffer.name)")
    }
    let evaluated = try encoder.evaluated(images, count: golden.images, convolutions: convolutions)
    #expect(golden.evaluated.relativeError(of: evaluated) <= 2e-5, "\(golden.name)")
  }

  @Test(arguments: [
    EncoderSpecification(architecture: .resnet50, width: 16, stemPadding: 1, fc: nil),
    EncoderSpecification(architecture: .resnet50, width: 16, stem: .imagenet, fc: 10),
    EncoderSpecification(architecture: .resnet34, width: 16, stem: .imagenet, fc: nil),
  ])
  func `give the same bits for one, two and three threads`(configuration: EncoderSpecification) throws {
    let side = 35
    for convolutions in ConvolutionChoice.allCases {
      let runs = try [1, 2, 3].map { threads in
        let encoder = try TrainedEncoder(
          configuration, side: side, images: 6, views: 2, threads: threads, convolutions: convolutions)
        Initializer(seed: 3, team: encoder.compute.team).initialize(encoder.plan.parameters)
        let images = try encoder.floats(GoldenGenerator.values(seed: 5, count: 4 * 3 * side * side, scale: 2))
        // A short batch, twice: what is cached from the first pass must not matter.
        let features = try (0..<2).map { _ in try encoder.pass(images, count: 4, gradientSeed: 6) }
        #expect(features[0] == features[1])
        return (
          features[0], encoder.plan.parameters.map(\.gradient.array), encoder.plan.buffers.map(\.value.array),
          try encoder.evaluated(images, count: 4, layer: .pooled, convolutions: convolutions)
        )
      }
      for run in runs.dropFirst() {
        #expect(run.0 == runs[0].0 && run.1 == runs[0].1 && run.2 == runs[0].2 && run.3 == runs[0].3)
      }
      #expect(runs[0].3.count == 4 * configuration.pooledCount)
    }
  }

  @Test func `start as torchvision's`() throws {
    for stem in EncoderSpecification.Stem.allCases {
      for zero in [false, true] {
        let encoder = try TrainedEncoder(
          EncoderSpecification(architecture: .resnet50, width: 16, stem: stem, zeroInitResidual: zero),
          side: 32, images: 2)
        Initializer(seed: 1, team: encoder.compute.team).initialize(encoder.plan.parameters)
        for parameter in encoder.plan.parameters where parameter.role == .norm {
          let isHidden = zero && parameter.name.hasSuffix("bn3.weight")
          let expected: Float = parameter.name.hasSuffix("weight") && !isHidden ? 1 : 0
          #expect(parameter.value.array.allSatisfy { $0 == expected }, "\(parameter.name)")
        }
        let weight = try #require(encoder.plan.parameters.first)
        let values = weight.value.array.map(Double.init)
        let deviation = (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
        let fanIn = 3.0 * (stem == .imagenet ? 49 : 9)
        // Kaiming normal over fan-out in torchvision's stem, uniform over fan-in in the one that replaces it.
        let expected = stem == .imagenet ? (2.0 / (16 * 49)).squareRoot() : (1 / (3 * fanIn)).squareRoot()
        #expect(abs(deviation / expected - 1) < 0.1, "\(stem)")
      }
    }
  }

  @Test(arguments: EncoderSpecification.Stem.allCases, EncoderSpecification.Architecture.allCases)
  func `are a graph whose operators have the plan's parameters`(
    stem: EncoderSpecification.Stem, architecture: EncoderSpecification.Architecture
  ) throws {
    for side in [16, 31, 224] {
      let configuration = EncoderSpecification(architecture: architecture, width: 32, stem: stem)
      let arena = Arena.counting()
      let plan = NetworkPlan(
        compute: Compute(team: ThreadTeam(planning: 1)), arena: arena, isTraining: true)
      let network = try ResNet(
        configuration, prefix: "encoder.", images: 2, imageSide: side, views: 1, plan: plan)
      let nodes = network.description.nodes
      var names: [String] = []
      for (index, node) in nodes.enumerated() {
        #expect(node.inputs.allSatisfy { $0 < index })
        switch node.operation {
        case .convolution(_, _, _, let hasBias):
          names += ["weight"].map { "\(node.name).\($0)" } + (hasBias ? ["\(node.name).bias"] : [])
        case .batchNorm, .linear: names += ["weight", "bias"].map { "\(node.name).\($0)" }
        case .add:
          let terms = node.inputs.map { nodes[$0] }
          #expect(terms.allSatisfy { $0.channels == node.channels && $0.side == node.side })
        case .images, .relu, .maxPool, .globalAveragePool: #expect(node.name.isEmpty)
        }
      }
      // Parameters of a shortcut come after its block's; the graph computes them last as well.
      #expect(names == plan.parameters.map(\.name))
      #expect(nodes.last?.channels == configuration.featureCount)
      #expect(nodes.allSatisfy { $0.side >= 1 })
    }
  }

  @Test(arguments: EncoderSpecification.Stem.allCases, EncoderSpecification.Architecture.allCases)
  func `take the memory that a plan counts`(
    stem: EncoderSpecification.Stem, architecture: EncoderSpecification.Architecture
  ) throws {
    let configuration = EncoderSpecification(architecture: architecture, width: 16, stem: stem)
    let encoder = try TrainedEncoder(configuration, side: 33, images: 4, views: 2)
    let counted = Arena.counting()
    let compute = Compute(team: ThreadTeam(planning: 2))
    let plan = NetworkPlan(compute: compute, arena: counted, isTraining: true)
    _ = try ResNet(configuration, prefix: "encoder.", images: 4, imageSide: 33, views: 2, plan: plan)
    try compute.allocate(from: counted)
    #expect(counted.allocatedBytes == encoder.arena.allocatedBytes)
  }

  @Test func `refuse images that the stem does not fit`() throws {
    let configuration = EncoderSpecification(width: 16)
    #expect(throws: NetworkDescriptionError.imageTooSmall(side: 2, sideMin: 3)) {
      try NetworkDescription(configuration, imageSide: 2)
    }
    #expect(try NetworkDescription(configuration, imageSide: 3).blocks.last?.last.side == 1)
    let large = EncoderSpecification(architecture: .resnet50, width: 16, stem: .imagenet)
    #expect(try NetworkDescription(large, imageSide: 16).blocks.map(\.last.side).suffix(4) == [1, 1, 1, 1])
    #expect(try NetworkDescription(large, imageSide: 224).blocks.map(\.last.side).suffix(1) == [7])
  }
}
