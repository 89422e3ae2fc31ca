import Kernels
import Tensors
import Testing

/// A convolution whose neighbours are normalisations.
struct FusionCase: Sendable, CustomTestStringConvertible {
  var convolution: ConvolutionCase
  var algorithm: ConvolutionAlgorithm
  var views: Int

  var testDescription: String {
    "\(convolution.testDescription), \(algorithm.rawValue), \(views) views"
  }

  static let shapes = [
    ConvolutionCase(4, 4, 16, 9, 9, 20, kernel: 3, padding: 1),
    ConvolutionCase(6, 6, 33, 8, 7, 40, kernel: 3, padding: 0),
    ConvolutionCase(50, 48, 16, 4, 4, 16, kernel: 3, padding: 1),
    ConvolutionCase(6, 6, 20, 12, 12, 33, kernel: 3, stride: 2, padding: 1),
    ConvolutionCase(8, 6, 16, 7, 5, 48, kernel: 1, stride: 2),
    ConvolutionCase(300, 250, 40, 1, 1, 70, kernel: 1),
    ConvolutionCase(4, 4, 350, 4, 4, 350, kernel: 3, padding: 1),
  ]

  static let all = shapes.flatMap { shape in
    ConvolutionAlgorithm.allCases.filter { $0.isApplicable(to: shape.shape) }.flatMap { algorithm in
      (1...2).map { FusionCase(convolution: shape, algorithm: algorithm, views: $0) }
    }
  }
}

/// The memory around a convolution with its neighbours.
struct FusionBench {
  let bench: Bench
  let c: ConvolutionCase
  let convolution: Convolution
  let weight: Floats
  let bias: Floats

  init(_ set: InstructionSet, _ fusion: FusionCase, threads: Int) throws {
    bench = try Bench(set, threads: threads)
    c = fusion.convolution
    convolution = Convolution(
      c.shape, algorithms: ConvolutionAlgorithms(all: fusion.algorithm), compute: bench.compute)
    try bench.compute.allocate(from: bench.arena)
    weight = try bench.normal(c.shape.weightCount, seed: 2)
    bias = try bench.normal(c.shape.outputChannels, seed: 3)
  }

  func input(seed: UInt64) throws -> Activation {
    let s = c.shape
    let planar = try bench.normal(c.images * s.inputChannels * s.height * s.width, seed: seed)
    return try bench.activation(planar, c.images, s.inputChannels, s.height, s.width)
  }

  func output(seed: UInt64) throws -> Activation {
    let s = c.shape
    let planar = try bench.normal(c.images * s.outputChannels * s.outputHeight * s.outputWidth, seed: seed)
    return try bench.activation(planar, c.images, s.outputChannels, s.outputHeight, s.outputWidth)
  }

  func normalization(_ channels: Int, views: Int) throws -> Normalization {
    try Normalization(
      NormParameters(weight: bench.normal(channels, seed: 11), bias: bench.normal(channels, seed: 12)),
      views: views, arena: bench.arena)
  }

  /// The normalisation of `y`, whose epilogue was applied to `gradient`.
  func applied(_ gradient: Activation, _ y: Activation, views: Int) throws -> Normalization {
    let normalization = try normalization(y.channels, views: views)
    bench.compute.takeStatistics(of: y, normalization)
    let sums = try bench.garbage(2 * y.channels)
    bench.compute.applyEpilogue(
      to: gradient,
      BackwardEpilogue(
        normalization, input: y, mask: .recomputed, dWeight: sums.slice(0, y.channels),
        dBias: sums.slice(y.channels, y.channels)))
    return normalization
  }
}

@Suite struct FusionTests {
  @Test(arguments: InstructionSet.available, FusionCase.all)
  func `statistics taken in the same pass are those of a pass of its own`(
    _ set: InstructionSet, _ fusion: FusionCase
  ) throws {
    let f = try FusionBench(set, fusion, threads: 2)
    let (fused, separate) = (try f.output(seed: 8), try f.output(seed: 8))
    let one = try f.normalization(f.c.shape.outputChannels, views: fusion.views)
    let two = try f.normalization(f.c.shape.outputChannels, views: fusion.views)
    for i in 0..<f.bias.count { f.bias[i] += 30 }
    let input = try f.input(seed: 1)
    f.convolution.forward(input: input, weight: f.weight, bias: f.bias, output: fused, moments: one)
    f.convolution.forward(input: input, weight: f.weight, bias: f.bias, output: separate)
    f.bench.compute.takeStatistics(of: separate, two)
    #expect(fused.storage.array == separate.storage.array)
    // Both are held to double precision as BatchNormTests holds the pass of its own.
    let share = fusion.convolution.images / fusion.views
    let shape = NormCase(n: share, c: fused.channels, h: fused.height, w: fused.width)
    for view in 0..<fusion.views {
      let planar = try f.bench.planar(fused.images(view * share..<(view + 1) * share))
      let (mean, variance) = BatchNormTests.reference(planar, shape)
      for statistics in [one.statistics[view], two.statistics[view]] {
        #expect(relativeError(statistics.mean.array, mean) < 1e-6)
        #expect(relativeError(statistics.variance.array, variance) < 1e-5)
      }
    }
  }

  @Test(arguments: InstructionSet.available, FusionCase.all)
  func `a map normalised while it is read gives what a normalised map gives`(
    _ set: InstructionSet, _ fusion: FusionCase
  ) throws {
    let f = try FusionBench(set, fusion, threads: 2)
    let raw = try f.input(seed: 1)
    let (normalized, scratch) = (try f.input(seed: 4), try f.input(seed: 4))
    let normalization = try f.normalization(f.c.shape.inputChannels, views: fusion.views)
    f.bench.compute.takeStatistics(of: raw, normalization)
    f.bench.compute.normalize(raw, normalization, relu: true, output: normalized)
    let map = NormalizedMap(raw, normalization, scratch: scratch)
    let (one, two) = (try f.output(seed: 8), try f.output(seed: 8))
    f.convolution.forward(input: map, weight: f.weight, bias: f.bias, output: one)
    f.convolution.forward(input: normalized, weight: f.weight, bias: f.bias, output: two)
    #expect(one.storage.array == two.storage.array)
    let dOutput = try f.output(seed: 5)
    let (dOne, dTwo) = (try f.bench.garbage(f.weight.count), try f.bench.garbage(f.weight.count))
    f.convolution.backwardWeight(input: map, dOutput: dOutput, dWeight: dOne, dBias: nil)
    f.convolution.backwardWeight(input: normalized, dOutput: dOutput, dWeight: dTwo, dBias: nil)
    #expect(relativeError(dOne.array, dTwo.array.map { Double($0) }) < 5e-6)
  }

  @Test(arguments: InstructionSet.available, FusionCase.all)
  func `a residual normalised while it is read gives what a normalised residual gives`(
    _ set: InstructionSet, _ fusion: FusionCase
  ) throws {
    let f = try FusionBench(set, fusion, threads: 2)
    let compute = f.bench.compute
    let (x, residual, normalized) = (try f.input(seed: 1), try f.input(seed: 4), try f.input(seed: 4))
    let norm = try f.normalization(x.channels, views: fusion.views)
    let residualNorm = try f.normalization(x.channels, views: fusion.views)
    compute.takeStatistics(of: x, norm)
    compute.takeStatistics(of: residual, residualNorm)
    compute.normalize(residual, residualNorm, relu: true, output: normalized)
    let (one, two) = (try f.input(seed: 8), try f.input(seed: 8))
    for relu in [true, false] {
      compute.normalize(
        x, norm, residual: residual, residualNormalization: residualNorm, relu: relu, output: one)
      compute.normalize(x, norm, residual: normalized, relu: relu, output: two)
      #expect(one.storage.array == two.storage.array)
      #expect(hasZeroPadding(one))
    }
  }

  @Test(arguments: InstructionSet.available, FusionCase.all)
  func `an epilogue that is fused gives what a pass of its own gives`(
    _ set: InstructionSet, _ fusion: FusionCase
  ) throws {
    let f = try FusionBench(set, fusion, threads: 2)
    let channels = f.c.shape.inputChannels
    let dOutput = try f.output(seed: 5)
    let x = try f.input(seed: 1)
    let normalization = try f.normalization(channels, views: fusion.views)
    f.bench.compute.takeStatistics(of: x, normalization)
    for (mask, residual) in [
      (ReLUMask.none, nil), (.recomputed, nil), (.recomputed, try f.input(seed: 6)),
      (.output(try f.input(seed: 7)), try f.input(seed: 6)),
    ] {
      func epilogue(_ sums: Floats) -> BackwardEpilogue {
        BackwardEpilogue(
          normalization, input: x, mask: mask, residual: residual, dWeight: sums.slice(0, channels),
          dBias: sums.slice(channels, channels))
      }
      let (one, two) = (try f.input(seed: 8), try f.input(seed: 8))
      let (fused, separate) = (try f.bench.garbage(2 * channels), try f.bench.garbage(2 * channels))
      f.convolution.backwardInput(dOutput: dOutput, weight: f.weight, dInput: one, epilogue: epilogue(fused))
      let (dOne, dTwo) = (try f.input(seed: 8), try f.input(seed: 8))
      f.bench.compute.normalizeBackward(
        BackwardPrologue(one, behind: normalization, input: x), dInput: dOne)
      f.convolution.backwardInput(dOutput: dOutput, weight: f.weight, dInput: two)
      f.bench.compute.applyEpilogue(to: two, epilogue(separate))
      f.bench.compute.normalizeBackward(
        BackwardPrologue(two, behind: normalization, input: x), dInput: dTwo)
      #expect(one.storage.array == two.storage.array)
      #expect(relativeError(fused.array, separate.array.map { Double($0) }) < 3e-6)
      #expect(relativeError(dOne.storage.array, dTwo.storage.array.map { Double($0) }) < 2e-6)
      #expect(hasZeroPadding(one) && hasZeroPadding(dOne))
    }
  }

  @Test(arguments: InstructionSet.available, FusionCase.all)
  func `a prologue that is fused gives what a pass of its own gives`(
    _ set: InstructionSet, _ fusion: FusionCase
  ) throws {
    let f = try FusionBench(set, fusion, threads: 2)
    let input = try f.input(seed: 1)
    let below = try f.normalization(input.channels, views: 1)
    f.bench.compute.takeStatistics(of: input, below)
    for isNormalized in [false, true] {
      let (y, gradient) = (try f.output(seed: 5), try f.output(seed: 6))
      let normalization = try f.applied(gradient, y, views: fusion.views)
      let prologue = BackwardPrologue(gradient, behind: normalization, input: y)
      let expected = try f.output(seed: 8)
      f.bench.compute.normalizeBackward(prologue, dInput: expected)
      let (one, two) = (try f.bench.garbage(f.weight.count), try f.bench.garbage(f.weight.count))
      let target = isNormalized ? y : gradient
      if isNormalized {
        let map = NormalizedMap(input, below, scratch: try f.input(seed: 4))
        f.convolution.backwardWeight(input: map, dOutput: expected, dWeight: one, dBias: nil)
        f.convolution.backwardWeight(
          input: map, dOutput: target, prologue: prologue, dWeight: two, dBias: nil)
      } else {
        f.convolution.backwardWeight(input: input, dOutput: expected, dWeight: one, dBias: nil)
        f.convolution.backwardWeight(
          input: input, dOutput: target, prologue: prologue, dWeight: two, dBias: nil)
      }
      #expect(target.storage.array == expected.storage.array)
      #expect(one.array == two.array)
    }
  }

  @Test(arguments: InstructionSet.available, [1, 2])
  func `so it is at the stem`(_ set: InstructionSet, _ views: Int) throws {
    let c = ConvolutionCase(6, 6, 3, 9, 7, 20, kernel: 3, padding: 1)
    let f = try FusionBench(set, FusionCase(convolution: c, algorithm: .direct, views: views), threads: 2)
    let stem = StemConvolution(c.shape, compute: f.bench.compute)
    try f.bench.compute.allocate(from: f.bench.arena)
    let images = try f.bench.normal(c.images * 3 * 9 * 7, seed: 1)
    let (y, gradient, expected) = (try f.output(seed: 5), try f.output(seed: 6), try f.output(seed: 8))
    let prologue = BackwardPrologue(
      gradient, behind: try f.applied(gradient, y, views: views), input: y)
    f.bench.compute.normalizeBackward(prologue, dInput: expected)
    let (one, two) = (try f.bench.garbage(f.weight.count), try f.bench.garbage(f.weight.count))
    stem.backwardWeight(images: images, dOutput: expected, dWeight: one, dBias: nil)
    stem.backwardWeight(images: images, dOutput: y, prologue: prologue, dWeight: two, dBias: nil)
    #expect(y.storage.array == expected.storage.array)
    #expect(one.array == two.array)
  }

  @Test(arguments: InstructionSet.available, FusionCase.all.filter { $0.views == 1 })
  func `a frozen normalisation that is fused gives what a pass of its own gives`(
    _ set: InstructionSet, _ fusion: FusionCase
  ) throws {
    let f = try FusionBench(set, fusion, threads: 2)
    let channels = f.c.shape.outputChannels
    let parameters = NormParameters(
      weight: try f.bench.normal(channels, seed: 11), bias: try f.bench.normal(channels, seed: 12))
    let variance = try f.bench.normal(channels, seed: 14)
    for i in 0..<channels { variance[i] = abs(variance[i]) + 0.1 }
    let statistics = ChannelStatistics(mean: try f.bench.normal(channels, seed: 13), variance: variance)
    let input = try f.input(seed: 1)
    for (residual, relu) in [(nil, false), (try f.output(seed: 6), true), (nil, true)] {
      let (one, two) = (try f.output(seed: 8), try f.output(seed: 8))
      f.convolution.forward(
        input: input, weight: f.weight, bias: f.bias, output: one,
        frozen: FrozenNormalization(statistics, parameters, residual: residual, relu: relu))
      f.convolution.forward(input: input, weight: f.weight, bias: f.bias, output: two)
      f.bench.compute.normalize(
        two, statistics: statistics, parameters: parameters, residual: residual, relu: relu, output: two)
      #expect(relativeError(one.storage.array, two.storage.array.map { Double($0) }) < 2e-6)
      #expect(hasZeroPadding(one))
    }
  }

  @Test(arguments: InstructionSet.available)
  func `fused bits depend neither on the number of threads nor on how maps are written`(
    _ set: InstructionSet
  ) throws {
    for fusion in FusionCase.all {
      var first: [[Float]] = []
      for (threads, streamedBytes) in [(1, Int.max), (2, 0), (3, .max), (1, 0)] {
        let f = try FusionBench(set, fusion, threads: threads)
        f.bench.compute.streamedBytes = streamedBytes
        let x = try f.input(seed: 1)
        let below = try f.normalization(f.c.shape.inputChannels, views: fusion.views)
        let above = try f.normalization(f.c.shape.outputChannels, views: fusion.views)
        f.bench.compute.takeStatistics(of: x, below)
        let (output, dInput) = (try f.output(seed: 8), try f.input(seed: 8))
        let sums = try f.bench.garbage(2 * x.channels)
        let map = NormalizedMap(x, below, scratch: try f.input(seed: 8))
        f.convolution.forward(input: map, weight: f.weight, bias: nil, output: output, moments: above)
        let epilogue = BackwardEpilogue(
          below, input: x, mask: .recomputed, dWeight: sums.slice(0, x.channels),
          dBias: sums.slice(x.channels, x.channels))
        f.convolution.backwardInput(dOutput: output, weight: f.weight, dInput: dInput, epilogue: epilogue)
        let normalized = try f.output(seed: 8)
        f.bench.compute.normalize(output, above, relu: true, output: normalized)
        let (stored, frozen) = (try f.output(seed: 8), try f.output(seed: 8))
        f.convolution.forward(input: x, weight: f.weight, bias: f.bias, output: stored)
        f.convolution.forward(
          input: x, weight: f.weight, bias: f.bias, output: frozen,
          frozen: FrozenNormalization(
            above.statistics[0], above.parameters, residual: output, relu: true))
        let results =
          [output, dInput, normalized, stored, frozen].map(\.storage.array) + [sums.array]
          + above.statistics.flatMap { [$0.mean.array, $0.variance.array] }
        if first.isEmpty { first = results }
        let run = "\(threads) threads, streamed from \(streamedBytes) bytes"
        #expect(results == first, "\(fusion.testDescription), \(run)")
      }
    }
  }
}
