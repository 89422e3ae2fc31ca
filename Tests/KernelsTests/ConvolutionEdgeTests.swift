import Kernels
import Testing

/// Every algorithm and direction on all small maps, where tiles are cut off at the edges, against double
/// precision.
@Suite struct ConvolutionEdgeTests {
  /// Rows and columns: every remainder of a division by the tiles' 2, 4 and 6, square, wide and high.
  private static let sides = [
    (1, 1), (1, 4), (5, 1), (2, 2), (2, 7), (3, 3), (4, 3), (4, 4), (5, 6), (6, 5), (7, 7), (8, 6), (6, 9),
    (9, 9), (10, 3), (11, 13),
  ]
  /// Channels in and out around the blocks of 16 and the panels of 32.
  private static let channels = [(1, 1), (3, 17), (16, 16), (15, 33), (33, 4), (20, 48)]
  /// How many images are planned, and how many of them run.
  private static let images = [(1, 1), (3, 1), (3, 3)]

  /// One case for each pair of sides; channels and images take turns.
  private static func cases(kernel: Int, stride: Int, padding: Int) -> [ConvolutionCase] {
    sides.enumerated().compactMap { index, sides in
      guard min(sides.0, sides.1) + 2 * padding >= kernel else { return nil }
      let (c, k) = channels[(index + padding) % channels.count]
      let (planned, run) = images[(index + stride) % images.count]
      return ConvolutionCase(
        planned, run, c, sides.0, sides.1, k, kernel: kernel, stride: stride, padding: padding)
    }
  }

  /// Largest error of an algorithm, in units of the largest expected number.
  private static func tolerance(_ algorithm: ConvolutionAlgorithm) -> Double {
    switch algorithm {
    case .direct, .winograd2: 2e-6
    case .winograd4, .winograd4stride2: 3e-6
    case .winograd6: 1e-5
    }
  }

  @Test(arguments: InstructionSet.available, [0, 1, 2])
  func `3×3 convolutions of stride 1 agree`(_ set: InstructionSet, _ padding: Int) throws {
    try check(set, Self.cases(kernel: 3, stride: 1, padding: padding))
  }

  @Test(arguments: InstructionSet.available, [0, 1, 2])
  func `3×3 convolutions of stride 2 agree`(_ set: InstructionSet, _ padding: Int) throws {
    try check(set, Self.cases(kernel: 3, stride: 2, padding: padding))
  }

  @Test(
    arguments: InstructionSet.available, [(1, 1, 0), (1, 2, 0), (1, 3, 1), (2, 1, 1), (5, 2, 2), (7, 1, 3)])
  func `convolutions of other kernels agree`(_ set: InstructionSet, _ sizes: (Int, Int, Int)) throws {
    try check(set, Self.cases(kernel: sizes.0, stride: sizes.1, padding: sizes.2))
  }

  @Test(arguments: InstructionSet.available)
  func `linear layers agree`(_ set: InstructionSet) throws {
    let sizes = [
      (1, 1, 1), (1, 17, 5), (2, 16, 16), (3, 33, 31), (12, 1, 40), (13, 48, 1), (97, 20, 65), (5, 600, 33),
      // Whole blocks of 16; more blocks and more pairs of them than one task packs.
      (16, 32, 16), (40, 64, 48), (33, 272, 560), (7, 560, 31), (113, 30, 34),
      // Strips of columns enough for tasks of two, and of one at the end.
      (5, 33, 2100), (6, 2180, 18),
    ]
    try check(set, sizes.map { ConvolutionCase($0.0, $0.0, $0.1, 1, 1, $0.2, kernel: 1) })
  }

  @Test(arguments: InstructionSet.available, [0, 1, 2])
  func `stems agree`(_ set: InstructionSet, _ padding: Int) throws {
    for (index, sides) in Self.sides.enumerated() where min(sides.0, sides.1) + 2 * padding >= 3 {
      let (planned, run) = Self.images[index % 3]
      let c = ConvolutionCase(
        planned, run, [1, 3][index % 2], sides.0, sides.1, [1, 16, 33, 20][index % 4], kernel: 3,
        stride: [1, 1, 2][(index + padding) % 3], padding: padding)
      let bench = try Bench(set, threads: 2)
      let numbers = try ConvolutionNumbers(bench, c)
      let reference = ReferenceConvolution(s: c.shape, n: c.images)
      let results = try ConvolutionTests.runStem(bench, c, numbers)
      let output = reference.forward(numbers.input.array, numbers.weight.array, numbers.bias.array)
      let dWeight = reference.backwardWeight(numbers.input.array, numbers.dOutput.array)
      #expect(relativeError(results.output, output) <= 1e-6, "\(c.testDescription)")
      #expect(relativeError(results.dWeight, dWeight) <= 1e-6, "\(c.testDescription)")
      #expect(relativeError(results.dBias, reference.backwardBias(numbers.dOutput.array)) <= 1e-6)
      #expect(results.paddingIsZero, "\(c.testDescription)")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `stems of 7×7 and stride 2 agree`(_ set: InstructionSet) throws {
    for (index, sides) in [(1, 1), (2, 3), (7, 7), (8, 9), (16, 16), (33, 21)].enumerated() {
      let c = ConvolutionCase(
        2, 2, 3, sides.0, sides.1, [16, 33][index % 2], kernel: 7, stride: 2, padding: 3)
      let reference = ReferenceConvolution(s: c.shape, n: c.images)
      let results = try (1...3).map { threads in
        let bench = try Bench(set, threads: threads)
        return try ConvolutionTests.runStem(bench, c, ConvolutionNumbers(bench, c))
      }
      let numbers = try ConvolutionNumbers(Bench(set, threads: 1), c)
      let output = reference.forward(numbers.input.array, numbers.weight.array, numbers.bias.array)
      let dWeight = reference.backwardWeight(numbers.input.array, numbers.dOutput.array)
      #expect(relativeError(results[0].output, output) <= 2e-6, "\(c.testDescription)")
      #expect(relativeError(results[0].dWeight, dWeight) <= 2e-6, "\(c.testDescription)")
      #expect(results[0].paddingIsZero, "\(c.testDescription)")
      #expect(results[0] == results[1] && results[0] == results[2], "bits depend on the threads")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `convolutions of many channels and images agree`(_ set: InstructionSet) throws {
    // The last of 1×1 has so many channels that a task takes several images, and those of 3×3 so many that
    // several tasks share the input blocks of a weight gradient.
    for c in [
      ConvolutionCase(2, 2, 256, 14, 14, 80, kernel: 1), ConvolutionCase(3, 2, 96, 7, 7, 300, kernel: 1),
      ConvolutionCase(2, 2, 64, 9, 15, 64, kernel: 1, stride: 2),
      ConvolutionCase(70, 69, 16, 7, 7, 2048, kernel: 1),
      ConvolutionCase(2, 2, 70, 6, 5, 33, kernel: 3, padding: 1),
      ConvolutionCase(3, 3, 130, 9, 4, 20, kernel: 3, stride: 2, padding: 1),
    ] {
      let reference = ReferenceConvolution(s: c.shape, n: c.images)
      let results = try (1...3).map { threads in
        let bench = try Bench(set, threads: threads)
        return try ConvolutionTests.run(bench, c, ConvolutionNumbers(bench, c), algorithms: .direct)
      }
      let numbers = try ConvolutionNumbers(Bench(set, threads: 1), c)
      let (input, weight, dOutput) = (numbers.input.array, numbers.weight.array, numbers.dOutput.array)
      let output = reference.forward(input, weight, numbers.bias.array)
      #expect(relativeError(results[0].output, output) <= 2e-6, "\(c.testDescription)")
      #expect(
        relativeError(results[0].dInput, reference.backwardInput(dOutput, weight)) <= 2e-6,
        "\(c.testDescription)")
      #expect(
        relativeError(results[0].dWeight, reference.backwardWeight(input, dOutput)) <= 2e-6,
        "\(c.testDescription)")
      #expect(results[0] == results[1] && results[0] == results[2], "bits depend on the threads")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `average pooling agrees`(_ set: InstructionSet) throws {
    for (index, (height, width)) in Self.sides.enumerated() {
      let channels = Self.channels[index % Self.channels.count].1
      let images = 1 + index % 3
      let bench = try Bench(set, threads: 2)
      try bench.compute.allocate(from: bench.arena)
      let planar = try bench.normal(images * channels * height * width, seed: 1)
      let input = try bench.activation(planar, images, channels, height, width)
      let output = try bench.activation(images, channels, 1, 1)
      bench.compute.averagePool(input, into: output)
      let (numbers, pixels) = (planar.array, height * width)
      let means = (0..<images * channels).map { map in
        (0..<pixels).reduce(0.0) { $0 + Double(numbers[map * pixels + $1]) } / Double(pixels)
      }
      #expect(relativeError(try bench.planar(output), means) <= 1e-6, "\(height)×\(width)")
      let dInput = try bench.activation(images, channels, height, width)
      bench.compute.averagePoolBackward(dOutput: output, into: dInput)
      let shares = numbers.indices.map { means[$0 / pixels] / Double(pixels) }
      #expect(relativeError(try bench.planar(dInput), shares) <= 1e-6, "\(height)×\(width)")
      #expect(hasZeroPadding(output) && hasZeroPadding(dInput))
    }
  }

  private func check(_ set: InstructionSet, _ cases: [ConvolutionCase]) throws {
    #expect(cases.count >= 5)
    for c in cases {
      let bench = try Bench(set, threads: 2)
      let numbers = try ConvolutionNumbers(bench, c)
      let input = numbers.input.array
      let weight = numbers.weight.array
      let dOutput = numbers.dOutput.array
      let reference = ReferenceConvolution(s: c.shape, n: c.images)
      let output = reference.forward(input, weight, numbers.bias.array)
      let dInput = reference.backwardInput(dOutput, weight)
      let dWeight = reference.backwardWeight(input, dOutput)
      for algorithm in ConvolutionAlgorithm.allCases where algorithm.isApplicable(to: c.shape) {
        let results = try ConvolutionTests.run(
          Bench(set, threads: 2), c, numbers, algorithms: ConvolutionAlgorithms(all: algorithm))
        let what = "\(algorithm) of \(c.testDescription)"
        let tolerance = Self.tolerance(algorithm)
        #expect(relativeError(results.output, output) <= tolerance, "\(what)")
        #expect(relativeError(results.dInput, dInput) <= tolerance, "\(what)")
        #expect(relativeError(results.dWeight, dWeight) <= tolerance, "\(what)")
        #expect(results.paddingIsZero, "\(what)")
      }
    }
  }
}
