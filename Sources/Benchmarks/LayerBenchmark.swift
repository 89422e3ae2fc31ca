import Kernels
import NeuralNet
import Recipe
import Tensors

/// Time and rate of every kind of layer in a network's step, each measured alone on buffers of its own.
package enum LayerBenchmark {
  /// What a layer computes.
  package enum Work: Equatable {
    case stem(ConvolutionShape)
    /// Without gradients it is a layer of a moving average, which has forward passes only.
    case convolution(ConvolutionShape, ConvolutionAlgorithms, hasGradients: Bool)
    /// The pooling of the stem's square maps.
    case maxPool(PoolWindow, images: Int, channels: Int, side: Int)
    /// One view's covariance matrix in the loss.
    case covariance(dimension: Int, batch: Int)
  }

  /// Layers that do the same work.
  package struct Kind {
    /// For people: `3×3/2 64→128 30`.
    package let name: String
    package let work: Work
    /// How many of them a step has.
    package var count: Int
  }

  /// One operation of one kind of layer.
  package struct Measurement {
    package let kind: Kind
    /// `forward`, `dX` or `dW`.
    package let operation: String
    package let algorithm: String
    /// The median of wall-clock time.
    package let seconds: Double
    /// Operations of the direct algorithm, whatever was used; 0 where nothing is multiplied.
    package let flops: Double
    /// Billions of operations a second on registers alone: the median of a try before each round, for the
    /// clock of a machine and what others do on it change from second to second.
    package let peakGigaflops: Double

    /// Billions of operations a second.
    package var gigaflops: Double { flops / seconds / 1e9 }
    /// The part of the peak that this is.
    package var shareOfPeak: Double { gigaflops / peakGigaflops }
    /// Seconds of all such layers in a step.
    package var secondsOfStep: Double { seconds * Double(kind.count) }
  }

  /// One operation, ready to run.
  private struct Operation {
    let name: String
    let algorithm: String
    let flops: Int
    let run: () -> Void
  }

  /// The kinds of layers of a model, in the order of its forward pass, with the stem's max-pool and the
  /// matrix products of VICReg's loss.
  package static func kinds(of model: PretrainingModel) throws -> [Kind] {
    var kinds: [Kind] = []
    for layer in model.layers {
      let work =
        layer.algorithms.map { Work.convolution(layer.shape, $0, hasGradients: layer.hasGradients) }
        ?? .stem(layer.shape)
      if let index = kinds.firstIndex(where: { $0.work == work }) {
        kinds[index].count += 1
      } else {
        kinds.append(Kind(name: name(of: layer), work: work, count: 1))
      }
    }
    let configuration = model.configuration
    let network = try NetworkDescription(configuration.encoder, imageSide: model.imageSide)
    if let window = network.stemPool, let first = kinds.indices.first {
      let (channels, side) = (network.stem.channels, network.stem.side)
      let work = Work.maxPool(
        window, images: configuration.views * model.batchSize, channels: channels, side: side)
      let name = "max-pool \(window.kernel)×\(window.kernel)/\(window.stride) \(channels) \(side)"
      kinds.insert(Kind(name: name, work: work, count: 1), at: first + 1)
    }
    if configuration.method is VICReg {
      let dimension = configuration.embeddingCount
      let covariance = Work.covariance(dimension: dimension, batch: model.batchSize)
      // Each view has a matrix of its own.
      kinds.append(Kind(name: "covariance \(dimension)", work: covariance, count: configuration.views))
    }
    return kinds
  }

  /// The two layers of ResNet-50 and its projector that are nothing but matrix products: the 1×1 convolution
  /// 256→1024 on 14×14 pixels and Linear 2048→2048, for a batch of images or rows.
  package static func products(batch: Int) -> [Kind] {
    let pointwise = ConvolutionShape(
      images: batch, inputChannels: 256, height: 14, width: 14, outputChannels: 1024, kernel: 1)
    let linear = ConvolutionShape.linear(rows: batch, inputs: 2048, outputs: 2048)
    return [("1×1 256→1024 14", pointwise), ("linear 2048", linear)].map { name, shape in
      let algorithms = ConvolutionAlgorithms.automatic(for: shape, isTraining: true)
      return Kind(name: name, work: .convolution(shape, algorithms, hasGradients: true), count: 1)
    }
  }

  /// Such as `3×3/2 64→128 30`: kernel, stride, channels, side of the input.
  private static func name(of layer: PlannedLayer) -> String {
    let shape = layer.shape
    let channels =
      shape.inputChannels == shape.outputChannels
      ? "\(shape.inputChannels)" : "\(shape.inputChannels)→\(shape.outputChannels)"
    if shape.kernel == 1, shape.height * shape.width == 1 { return "linear \(channels)" }
    let stride = shape.stride > 1 ? "/\(shape.stride)" : ""
    return "\(shape.kernel)×\(shape.kernel)\(stride) \(channels) \(shape.height)"
  }

  /// Measures all operations of `kinds`, each on buffers of its own, and hands each to `report`.
  package static func measure(
    _ kinds: [Kind], compute: Compute, rounds: Int, report: (Measurement) -> Void
  ) throws {
    for kind in kinds {
      let arena = try Arena()
      for operation in try operations(kind.work, compute, arena) {
        report(measure(operation, of: kind, compute: compute, rounds: rounds))
      }
    }
  }

  /// Measures `rounds` calls after one that does not count, each beside the peak.
  private static func measure(
    _ operation: Operation, of kind: Kind, compute: Compute, rounds: Int
  ) -> Measurement {
    var (seconds, peaks): ([Double], [Double]) = ([], [])
    operation.run()
    for _ in 0..<rounds {
      peaks.append(compute.registerGigaflops())
      seconds.append(Timing.seconds(of: operation.run))
    }
    return Measurement(
      kind: kind, operation: operation.name, algorithm: operation.algorithm, seconds: Timing.median(seconds),
      flops: Double(operation.flops), peakGigaflops: Timing.median(peaks))
  }

  private static func operations(
    _ work: Work, _ compute: Compute, _ arena: Arena
  ) throws -> [Operation] {
    switch work {
    case .stem(let shape): try stemOperations(shape, compute, arena)
    case .convolution(let shape, let algorithms, let hasGradients):
      Array(try operations(shape, algorithms, compute, arena).prefix(hasGradients ? 3 : 1))
    case .maxPool(let window, let images, let channels, let side):
      try poolOperations(window, images: images, channels: channels, side: side, compute, arena)
    case .covariance(let dimension, let batch):
      try covarianceOperations(dimension: dimension, batch: batch, compute, arena)
    }
  }

  private static func stemOperations(
    _ shape: ConvolutionShape, _ compute: Compute, _ arena: Arena
  ) throws -> [Operation] {
    let stem = StemConvolution(shape, compute: compute)
    let images = try random(shape.images * shape.inputChannels * shape.height * shape.width, arena)
    let weight = try random(shape.weightCount, arena)
    let dWeight = try arena.allocate(shape.weightCount)
    let output = try self.output(shape, arena)
    try compute.allocate(from: arena)
    return [
      Operation(name: "forward", algorithm: "stem", flops: flops(shape)) {
        stem.forward(images: images, weight: weight, bias: nil, output: output)
      },
      Operation(name: "dW", algorithm: "stem", flops: flops(shape)) {
        stem.backwardWeight(images: images, dOutput: output, dWeight: dWeight, dBias: nil)
      },
    ]
  }

  private static func operations(
    _ shape: ConvolutionShape, _ algorithms: ConvolutionAlgorithms, _ compute: Compute, _ arena: Arena
  ) throws -> [Operation] {
    let convolution = Convolution(shape, algorithms: algorithms, compute: compute)
    let input = try activation(shape.images, shape.inputChannels, shape.height, shape.width, arena)
    let weight = try random(shape.weightCount, arena)
    let dWeight = try arena.allocate(shape.weightCount)
    let output = try self.output(shape, arena)
    try compute.allocate(from: arena)
    return [
      Operation(name: "forward", algorithm: algorithms.forward.rawValue, flops: flops(shape)) {
        convolution.forward(input: input, weight: weight, bias: nil, output: output)
      },
      Operation(name: "dX", algorithm: algorithms.backwardInput.rawValue, flops: flops(shape)) {
        convolution.backwardInput(dOutput: output, weight: weight, dInput: input)
      },
      Operation(name: "dW", algorithm: algorithms.backwardWeight.rawValue, flops: flops(shape)) {
        convolution.backwardWeight(input: input, dOutput: output, dWeight: dWeight, dBias: nil)
      },
    ]
  }

  private static func poolOperations(
    _ window: PoolWindow, images: Int, channels: Int, side: Int, _ compute: Compute, _ arena: Arena
  ) throws -> [Operation] {
    let input = try activation(images, channels, side, side, arena)
    let dInput = try activation(images, channels, side, side, arena)
    let outputSide = window.outputs(of: side)
    let output = try activation(images, channels, outputSide, outputSide, arena)
    return [
      Operation(name: "forward", algorithm: "windows", flops: 0) {
        compute.maxPool(input, window, into: output)
      },
      Operation(name: "dX", algorithm: "windows", flops: 0) {
        compute.maxPoolBackward(input: input, window, dOutput: output, into: dInput)
      },
    ]
  }

  /// Two products: the matrix, and the gradient through it.
  private static func covarianceOperations(
    dimension d: Int, batch n: Int, _ compute: Compute, _ arena: Arena
  ) throws -> [Operation] {
    let z = Matrix(try activation(n, d, 1, 1, arena))
    let gradient = Matrix(try activation(n, d, 1, 1, arena))
    let covariance = Matrix(try random(d * z.rowStride, arena), rowStride: z.rowStride)
    let square = MatrixProduct(m: d, n: d, k: n, compute: compute)
    let back = MatrixProduct(m: n, n: d, k: d, compute: compute)
    try compute.allocate(from: arena)
    return [
      Operation(name: "forward", algorithm: "product", flops: 2 * d * d * n) {
        square.run(z, transposeA: true, z, into: covariance)
      },
      Operation(name: "dX", algorithm: "product", flops: 2 * d * d * n) {
        back.run(z, covariance, into: gradient)
      },
    ]
  }

  /// Those of the direct algorithm, a multiplication and an addition each.
  private static func flops(_ shape: ConvolutionShape) -> Int {
    2 * shape.multiplyAddsPerImage * shape.images
  }

  private static func output(_ shape: ConvolutionShape, _ arena: Arena) throws -> Activation {
    try activation(shape.images, shape.outputChannels, shape.outputHeight, shape.outputWidth, arena)
  }

  private static func activation(
    _ images: Int, _ channels: Int, _ height: Int, _ width: Int, _ arena: Arena
  ) throws -> Activation {
    let count = Activation.count(images: images, channels: channels, height: height, width: width)
    return Activation(
      images: images, channels: channels, height: height, width: width, storage: try random(count, arena))
  }

  private static func random(_ count: Int, _ arena: Arena) throws -> Floats {
    var random = CounterRandom(seed: 1)
    let floats = try arena.allocate(count)
    for index in 0..<count { floats[index] = random.uniform(-1, 1) }
    return floats
  }
}
