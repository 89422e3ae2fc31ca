import Parallel
import Recipe
import Testing

@testable import NeuralNet

@Suite struct `State of an encoder` {
  @Test(arguments: [
    EncoderSpecification(width: 16),
    EncoderSpecification(width: 32, stemPadding: 1, stemBias: false, fc: nil),
    EncoderSpecification(architecture: .resnet34, width: 16, stem: .imagenet, fc: nil),
    EncoderSpecification(architecture: .resnet50, width: 16, stem: .imagenet, fc: 10),
  ])
  func `is described as it is planned`(configuration: EncoderSpecification) throws {
    let encoder = try EncoderInference(
      configuration, imageSide: 32, batchSize: 1, team: ThreadTeam(threads: 1))
    let planned =
      encoder.parameters.map { StateTensor($0.name, $0.shape) }
      + encoder.buffers.map { StateTensor($0.name, $0.shape, isCount: $0.isCount) }
    let described = try NetworkDescription(configuration, imageSide: 32).state
    #expect(described.sorted { $0.name < $1.name } == planned.sorted { $0.name < $1.name })
  }
}
