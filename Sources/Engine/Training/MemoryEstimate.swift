import JobModel
import Kernels
import NeuralNet
import Parallel
import Platform
import Tensors

/// How much memory a training will take, known before it begins.
package enum MemoryEstimate {
  /// What the program takes beside tensors and images.
  private static let programBytes = 48 << 20
  /// Images are stored as at most three planes of bytes.
  private static let planesMax = 3

  /// Bytes of a training's process at most: the planned network, the optimiser's state, the copy of both that
  /// a checkpoint is written from, and the data set.
  ///
  /// Plans the network as the training does and touches none of its memory.
  /// - Parameters:
  ///   - imageCount: of the split, before the specification's limit.
  ///   - imageSide: side of the square images in pixels.
  ///   - threads: of the worker; scratch memory grows with them.
  /// - Returns: at least the address space of a network where a training does not fit into that.
  /// - Throws: `ConvolutionRecordError` for no network that a specification can describe.
  package static func bytes(
    _ specification: TrainSpecification, imageCount: Int, imageSide: Int, threads: Int
  ) throws -> Int {
    do {
      return try planned(specification, imageCount: imageCount, imageSide: imageSide, threads: threads)
    } catch is SystemError {
      return Arena.reservedBytesDefault
    }
  }

  private static func planned(
    _ specification: TrainSpecification, imageCount: Int, imageSide: Int, threads: Int
  ) throws -> Int {
    let count = min(imageCount, specification.dataset.limit ?? imageCount)
    let model = try VICRegModel(
      encoder: EncoderConfiguration(specification.encoder),
      projector: ProjectorConfiguration(specification.projector), loss: LossConfiguration(specification.loss),
      imageSide: imageSide, batchSize: max(2, min(specification.batchSize, count)),
      team: ThreadTeam(threads: threads), convolutions: ConvolutionChoice(specification.convolution))
    let parameterBytes = model.parameters.reduce(0) { $0 + $1.value.count * MemoryLayout<Float>.stride }
    let stateBytes = parameterBytes * stateTensors(specification.optimizer)
    let images = count * planesMax * imageSide * imageSide
    return model.arena.allocatedBytes + stateBytes + (parameterBytes + stateBytes) + images + programBytes
  }

  /// Tensors of state that the optimiser has beside each parameter.
  private static func stateTensors(_ optimizer: OptimizerSpecification) -> Int {
    switch optimizer.name {
    case .adam, .adamw: 2
    case .sgd: optimizer.momentum == 0 ? 0 : 1
    case .lars: 1
    }
  }
}
