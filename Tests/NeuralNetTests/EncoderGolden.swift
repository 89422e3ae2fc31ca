import Foundation
import Kernels
import Parallel
import Recipe
import Tensors

@testable import NeuralNet

/// The numbers of `Golden/encoders.json`; what each means stands in `make_encoders.py`.
struct EncoderGolden: Decodable {
  struct Norm: Decodable {
    let name: String
    let shape: [Int]
    let norm: Double
  }
  struct Case: Decodable {
    let name, arch, stem: String
    let width, side, images, stem_padding, seed: Int
    let stem_bias, zero_init: Bool
    let fc: Int?
    let features, evaluated: Summary
    let parameters: [Norm]
    let gradients, buffers: [Summary]

    var configuration: EncoderSpecification {
      let architectures: [String: EncoderSpecification.Architecture] = [
        "resnet18": .resnet18, "resnet34": .resnet34, "resnet50": .resnet50,
      ]
      return EncoderSpecification(
        architecture: architectures[arch] ?? .resnet18, width: width,
        stem: stem == "imagenet" ? .imagenet : .cifar, stemPadding: stem_padding, stemBias: stem_bias,
        fc: fc, zeroInitResidual: zero_init)
    }
  }

  let cases: [Case]

  /// The file, read once; without it every test that needs it stops here.
  static let shared: EncoderGolden = {
    do {
      guard
        let url = Bundle.module.url(forResource: "encoders", withExtension: "json", subdirectory: "Golden")
      else { fatalError("encoders.json is not among the resources") }
      return try JSONDecoder().decode(EncoderGolden.self, from: Data(contentsOf: url))
    } catch {
      fatalError("encoders.json: \(error)")
    }
  }()
}

/// An encoder in training, with its memory.
struct TrainedEncoder {
  let compute: Compute
  let arena: Arena
  let plan: NetworkPlan
  let network: ResNet
  let configuration: EncoderSpecification

  init(
    _ configuration: EncoderSpecification, side: Int, images: Int, views: Int = 1, threads: Int = 2,
    convolutions: ConvolutionChoice = .direct
  ) throws {
    self.configuration = configuration
    compute = Compute(team: try ThreadTeam(threads: threads), convolutions: convolutions)
    arena = try Arena()
    plan = NetworkPlan(compute: compute, arena: arena, isTraining: true)
    network = try ResNet(
      configuration, prefix: "encoder.", images: images, imageSide: side, views: views, plan: plan)
    try compute.allocate(from: arena)
  }

  /// A case's encoder, with the parameters that `make_encoders.py` generates.
  init(_ golden: EncoderGolden.Case, threads: Int = 2, convolutions: ConvolutionChoice = .direct) throws {
    try self.init(
      golden.configuration, side: golden.side, images: golden.images, threads: threads,
      convolutions: convolutions)
    for (index, parameter) in plan.parameters.enumerated() {
      let isWeight = parameter.shape.count > 1
      let isNormWeight = !isWeight && parameter.name.hasSuffix("weight")
      let fanIn = Double(parameter.value.count / parameter.shape[0])
      let isLastNorm =
        parameter.name.hasPrefix("encoder.layer")
        && parameter.name.hasSuffix(golden.arch == "resnet50" ? "bn3.weight" : "bn2.weight")
      parameter.value.copy(
        from: GoldenGenerator.values(
          seed: 7000 + index, count: parameter.value.count,
          scale: isWeight ? (6 / fanIn).squareRoot() : isLastNorm ? 0.1 : 0.25,
          offset: isLastNorm ? 0.25 : isNormWeight ? 1 : 0))
      if parameter.initial == .constant(0), isNormWeight { parameter.value.fill(0) }
    }
  }

  func floats(_ values: [Float]) throws -> Floats {
    let floats = try arena.allocate(values.count)
    floats.copy(from: values)
    return floats
  }

  /// Forward and backward from a generated gradient; returns the features.
  func pass(_ images: Floats, count: Int, gradientSeed: Int) throws -> [Float] {
    let features = network.forward(images, count: count)
    let dFeatures = try Activation(
      images: count, channels: features.channels, height: 1, width: 1, arena: arena)
    let values = try planar(features)
    compute.blocked(
      planar: try floats(GoldenGenerator.values(seed: gradientSeed, count: values.count)), into: dFeatures)
    network.backward(images, dFeatures: dFeatures)
    return values
  }

  /// The planar values of an activation.
  func planar(_ activation: Activation) throws -> [Float] {
    let floats = try arena.allocate(activation.images * activation.channels * activation.pixels)
    compute.planar(activation, into: floats)
    return floats.array
  }

  /// Eval mode on the same weights.
  func evaluated(
    _ images: Floats, count: Int, layer: EncoderLayer = .output, convolutions: ConvolutionChoice = .direct
  ) throws -> [Float] {
    let inference = try EncoderInference(
      configuration, imageSide: network.description.imageSide, batchSize: count + 1, team: compute.team,
      layer: layer, convolutions: convolutions)
    let values = Dictionary(
      uniqueKeysWithValues: plan.parameters.map { ($0.name, $0.value) }
        + plan.buffers.map { ($0.name, $0.value) })
    for (name, target) in inference.parameters.map({ ($0.name, $0.value) })
      + inference.buffers.map({ ($0.name, $0.value) })
    {
      if let value = values[name] { target.copy(from: value) }
    }
    inference.input.slice(0, images.count).copy(from: images)
    return inference.features(count: count).array
  }
}
