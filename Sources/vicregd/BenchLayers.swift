import Kernels
import NeuralNet
import Platform
import Tensors

/// `vicregd bench layers`: time and rate of every kind of layer in a network's step, and how much of a whole
/// step that is.
enum BenchLayers {
  /// What a layer computes.
  enum Work: Equatable {
    case stem(ConvolutionShape)
    case convolution(ConvolutionShape, ConvolutionAlgorithms)
    /// One view's covariance matrix in the loss.
    case covariance(dimension: Int, batch: Int)
  }

  /// Layers that do the same work.
  struct Kind {
    let name: String
    let work: Work
    /// How many of them a step has.
    var count: Int
  }

  /// One operation of one kind of layer.
  struct Measurement {
    let kind: Kind
    let operation: String
    let algorithm: String
    /// The median of wall-clock time.
    let seconds: Double
    /// Operations of the direct algorithm, whatever was used.
    let flops: Double

    /// Billions of those a second.
    var gigaflops: Double { flops / seconds / 1e9 }
    /// Seconds of all such layers in a step.
    var secondsOfStep: Double { seconds * Double(kind.count) }
  }

  /// One operation, ready to run.
  private struct Operation {
    let name: String
    let algorithm: String
    let flops: Int
    let run: () -> Void
  }

  /// The kinds of layers of a model, in the order of its forward pass, with the loss behind them.
  static func kinds(of model: PretrainingModel) -> [Kind] {
    var kinds: [Kind] = []
    for layer in model.layers {
      let work = layer.algorithms.map { Work.convolution(layer.shape, $0) } ?? .stem(layer.shape)
      if let index = kinds.firstIndex(where: { $0.work == work }) {
        kinds[index].count += 1
      } else {
        kinds.append(Kind(name: name(of: layer), work: work, count: 1))
      }
    }
    let dimension = model.layers.last?.shape.outputChannels ?? 0
    let covariance = Work.covariance(dimension: dimension, batch: model.batchSize)
    // Each view has a matrix of its own.
    kinds.append(Kind(name: "covariance \(dimension)", work: covariance, count: 2))
    return kinds
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
  static func measure(
    _ kinds: [Kind], compute: Compute, rounds: Int, report: (Measurement) -> Void
  ) throws {
    for kind in kinds {
      let arena = try Arena()
      for operation in try operations(kind.work, compute, arena) {
        let seconds = Bench.median(Bench.seconds(of: rounds, operation.run))
        report(
          Measurement(
            kind: kind, operation: operation.name, algorithm: operation.algorithm, seconds: seconds,
            flops: Double(operation.flops)))
      }
    }
  }

  /// Billions of operations a second that the team reaches on registers alone.
  static func peak(_ compute: Compute) -> Double {
    (0..<5).reduce(0) { best, _ in
      let start = SystemClock.monotonicNanoseconds
      let flops = compute.multiplyAtPeak(steps: 1_000_000)
      return max(best, Double(flops) / Double(SystemClock.monotonicNanoseconds - start))
    }
  }

  private static func operations(
    _ work: Work, _ compute: Compute, _ arena: Arena
  ) throws -> [Operation] {
    switch work {
    case .stem(let shape): try stemOperations(shape, compute, arena)
    case .convolution(let shape, let algorithms): try operations(shape, algorithms, compute, arena)
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
