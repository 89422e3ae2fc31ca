import Kernels
import Tensors
import Testing

/// A shape to test, and how many images of the planned ones are run.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  var shape: ConvolutionShape
  var images: Int

  init(
    _ planned: Int, _ images: Int, _ c: Int, _ h: Int, _ w: Int, _ k: Int, kernel: Int, stride: Int = 1,
    padding: Int = 0
  ) {
    shape = ConvolutionShape(
      images: planned, inputChannels: c, height: h, width: w, outputChannels: k, kernel: kernel,
      stride: stride,
      padding: padding)
    self.images = images
  }

  var testDescription: String {
    let s = shape
    return
      "\(images)×\(s.inputChannels)×\(s.height)×\(s.width) → \(s.outputChannels), \(s.kernel)×\(s.kernel)"
      + " stride \(s.stride) padding \(s.padding)"
  }

  static let all: [ConvolutionCase] = [
    ConvolutionCase(1, 1, 1, 1, 1, 1, kernel: 1),
    ConvolutionCase(2, 1, 16, 3, 3, 16, kernel: 3, padding: 1),
    ConvolutionCase(3, 3, 5, 7, 4, 19, kernel: 3, padding: 1),
    ConvolutionCase(2, 2, 33, 5, 6, 31, kernel: 3, stride: 2, padding: 1),
    ConvolutionCase(3, 2, 17, 9, 8, 48, kernel: 1, stride: 2),
    ConvolutionCase(2, 2, 20, 8, 8, 40, kernel: 3, stride: 3, padding: 2),
    ConvolutionCase(2, 2, 16, 11, 5, 16, kernel: 5, stride: 2, padding: 2),
    ConvolutionCase(1, 1, 64, 4, 4, 80, kernel: 3, padding: 1),
    ConvolutionCase(9, 7, 16, 15, 15, 32, kernel: 3, padding: 1),
    ConvolutionCase(4, 4, 32, 30, 30, 16, kernel: 3, stride: 2, padding: 1),
    ConvolutionCase(2, 2, 4, 6, 6, 4, kernel: 2, stride: 3),
    ConvolutionCase(64, 50, 96, 1, 1, 72, kernel: 1),
    ConvolutionCase(2, 2, 130, 3, 3, 70, kernel: 3, padding: 2),
    ConvolutionCase(1, 1, 20, 7, 7, 33, kernel: 7, padding: 0),
  ]

  static let winograd: [ConvolutionCase] = [
    ConvolutionCase(1, 1, 1, 1, 1, 1, kernel: 3, padding: 1),
    ConvolutionCase(3, 2, 16, 3, 3, 16, kernel: 3, padding: 1),
    ConvolutionCase(3, 3, 5, 7, 4, 19, kernel: 3, padding: 0),
    ConvolutionCase(2, 2, 33, 13, 12, 31, kernel: 3, padding: 1),
    ConvolutionCase(2, 1, 20, 8, 8, 40, kernel: 3, padding: 2),
    ConvolutionCase(9, 7, 16, 15, 15, 32, kernel: 3, padding: 1),
    ConvolutionCase(2, 2, 16, 30, 30, 16, kernel: 3, padding: 1),
    ConvolutionCase(3, 3, 128, 7, 7, 100, kernel: 3, padding: 1),
    ConvolutionCase(5, 4, 350, 4, 4, 350, kernel: 3, padding: 1),
  ]

  static let stride2: [ConvolutionCase] = [
    ConvolutionCase(1, 1, 1, 1, 1, 1, kernel: 3, stride: 2, padding: 1),
    ConvolutionCase(3, 2, 16, 2, 3, 16, kernel: 3, stride: 2, padding: 1),
    ConvolutionCase(3, 3, 5, 7, 4, 19, kernel: 3, stride: 2, padding: 1),
    ConvolutionCase(2, 2, 33, 13, 12, 31, kernel: 3, stride: 2, padding: 1),
    ConvolutionCase(9, 7, 16, 15, 15, 32, kernel: 3, stride: 2, padding: 1),
    ConvolutionCase(5, 4, 200, 8, 8, 230, kernel: 3, stride: 2, padding: 1),
  ]

  /// Weight gradients that sum over many pixels.
  static let long: [ConvolutionCase] = [
    ConvolutionCase(20_000, 20_000, 16, 1, 1, 17, kernel: 1),
    ConvolutionCase(1, 1, 8, 150, 150, 16, kernel: 1),
    ConvolutionCase(2, 2, 17, 40, 40, 33, kernel: 3, padding: 1),
  ]

  static let stems: [ConvolutionCase] = [
    ConvolutionCase(3, 2, 3, 8, 9, 20, kernel: 3),
    ConvolutionCase(2, 2, 3, 32, 32, 64, kernel: 3, padding: 2),
    ConvolutionCase(1, 1, 1, 5, 5, 16, kernel: 3, stride: 2, padding: 1),
    ConvolutionCase(2, 2, 3, 17, 15, 33, kernel: 7, stride: 2, padding: 3),
  ]
}

/// Everything that a convolution computes, as planar numbers.
struct ConvolutionResults: Equatable {
  var output: [Float] = []
  var dInput: [Float] = []
  var dWeight: [Float] = []
  var dBias: [Float] = []
  var paddingIsZero = true
}

/// The planar numbers that a convolution works on.
struct ConvolutionNumbers {
  var input: Floats
  var weight: Floats
  var bias: Floats
  var dOutput: Floats

  init(_ bench: Bench, _ c: ConvolutionCase) throws {
    let s = c.shape
    input = try bench.normal(c.images * s.inputChannels * s.height * s.width, seed: 1)
    weight = try bench.normal(s.weightCount, seed: 2)
    bias = try bench.normal(s.outputChannels, seed: 3)
    dOutput = try bench.normal(c.images * s.outputChannels * s.outputHeight * s.outputWidth, seed: 4)
  }
}

@Suite struct ConvolutionTests {
  @Test(arguments: InstructionSet.available, ConvolutionCase.all)
  func `a convolution agrees with a double precision reference`(_ set: InstructionSet, _ c: ConvolutionCase)
    throws
  {
    let bench = try Bench(set, threads: 2)
    let numbers = try ConvolutionNumbers(bench, c)
    let reference = ReferenceConvolution(s: c.shape, n: c.images)
    let results = try ConvolutionTests.run(bench, c, numbers)
    let weight = numbers.weight.array
    let dOutput = numbers.dOutput.array
    let input = numbers.input.array
    #expect(relativeError(results.output, reference.forward(input, weight, numbers.bias.array)) < 2e-6)
    #expect(relativeError(results.dInput, reference.backwardInput(dOutput, weight)) < 2e-6)
    #expect(relativeError(results.dWeight, reference.backwardWeight(input, dOutput)) < 2e-6)
    #expect(relativeError(results.dBias, reference.backwardBias(dOutput)) < 2e-6)
    #expect(results.paddingIsZero)
  }

  @Test(arguments: InstructionSet.available, ConvolutionCase.stems)
  func `a stem agrees with a double precision reference`(_ set: InstructionSet, _ c: ConvolutionCase) throws {
    let bench = try Bench(set, threads: 2)
    let numbers = try ConvolutionNumbers(bench, c)
    let reference = ReferenceConvolution(s: c.shape, n: c.images)
    let results = try ConvolutionTests.runStem(bench, c, numbers)
    let dOutput = numbers.dOutput.array
    let input = numbers.input.array
    let expected = reference.forward(input, numbers.weight.array, numbers.bias.array)
    #expect(relativeError(results.output, expected) < 2e-6)
    #expect(relativeError(results.dWeight, reference.backwardWeight(input, dOutput)) < 2e-6)
    #expect(relativeError(results.dBias, reference.backwardBias(dOutput)) < 2e-6)
    #expect(results.paddingIsZero)
  }

  @Test(arguments: InstructionSet.available, ConvolutionCase.winograd)
  func `Winograd's algorithm agrees with a double precision reference`(
    _ set: InstructionSet, _ c: ConvolutionCase
  ) throws {
    let tolerances = [ConvolutionAlgorithm.winograd2: 2e-6, .winograd4: 3e-6, .winograd6: 1e-5]
    let bench = try Bench(set, threads: 1)
    let numbers = try ConvolutionNumbers(bench, c)
    let reference = ReferenceConvolution(s: c.shape, n: c.images)
    let weight = numbers.weight.array
    let dOutput = numbers.dOutput.array
    let input = numbers.input.array
    let output = reference.forward(input, weight, numbers.bias.array)
    let dInput = reference.backwardInput(dOutput, weight)
    let dWeight = reference.backwardWeight(input, dOutput)
    for (algorithm, tolerance) in tolerances where algorithm.isApplicable(to: c.shape) {
      let results = try (1...3).map { threads in
        let bench = try Bench(set, threads: threads)
        let numbers = try ConvolutionNumbers(bench, c)
        return try ConvolutionTests.run(bench, c, numbers, algorithms: ConvolutionAlgorithms(all: algorithm))
      }
      #expect(relativeError(results[0].output, output) < tolerance)
      #expect(relativeError(results[0].dInput, dInput) < tolerance)
      #expect(relativeError(results[0].dWeight, dWeight) < tolerance)
      #expect(results[0].paddingIsZero)
      #expect(results[0] == results[1] && results[0] == results[2], "bits depend on the threads")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `sums over many pixels are as exact as short ones`(_ set: InstructionSet) throws {
    for c in ConvolutionCase.long {
      let bench = try Bench(set, threads: 1)
      let numbers = try ConvolutionNumbers(bench, c)
      let expected = ReferenceConvolution(s: c.shape, n: c.images)
        .backwardWeight(numbers.input.array, numbers.dOutput.array)
      for algorithm in [ConvolutionAlgorithm.direct, .winograd2] where algorithm.isApplicable(to: c.shape) {
        let algorithms = ConvolutionAlgorithms(all: algorithm)
        let results = try ConvolutionTests.run(
          Bench(set, threads: 1), c, numbers, algorithms: algorithms)
        let error = relativeError(results.dWeight, expected)
        #expect(error < 8e-7, "\(algorithm) of \(c.testDescription)")
      }
    }
    let stem = ConvolutionCase(1, 1, 3, 120, 120, 16, kernel: 3)
    let bench = try Bench(set, threads: 1)
    let numbers = try ConvolutionNumbers(bench, stem)
    let expected = ReferenceConvolution(s: stem.shape, n: 1)
      .backwardWeight(numbers.input.array, numbers.dOutput.array)
    let results = try ConvolutionTests.runStem(bench, stem, numbers)
    #expect(relativeError(results.dWeight, expected) < 8e-7)
  }

  @Test(arguments: InstructionSet.available)
  func `Winograd's algorithm with stride 2 agrees with a double precision reference`(
    _ set: InstructionSet
  ) throws {
    for c in ConvolutionCase.stride2 {
      let results = try (1...3).map { threads in
        let bench = try Bench(set, threads: threads)
        return try ConvolutionTests.run(
          bench, c, ConvolutionNumbers(bench, c), algorithms: ConvolutionAlgorithms(all: .winograd4stride2))
      }
      let numbers = try ConvolutionNumbers(try Bench(set, threads: 1), c)
      let reference = ReferenceConvolution(s: c.shape, n: c.images)
      let (weight, dOutput, input) = (numbers.weight.array, numbers.dOutput.array, numbers.input.array)
      let output = reference.forward(input, weight, numbers.bias.array)
      #expect(relativeError(results[0].output, output) < 1e-5)
      #expect(relativeError(results[0].dInput, reference.backwardInput(dOutput, weight)) < 1e-5)
      #expect(relativeError(results[0].dWeight, reference.backwardWeight(input, dOutput)) < 3e-6)
      #expect(results[0].paddingIsZero)
      #expect(results[0] == results[1] && results[0] == results[2], "bits depend on the threads")
    }
  }

  @Test func `the automatic choice takes the fewest products`() {
    func choice(
      _ side: Int, channels: Int = 16, stride: Int = 1, isTraining: Bool = true
    ) -> ConvolutionAlgorithms {
      let shape = ConvolutionShape(
        images: 2, inputChannels: channels, height: side, width: side, outputChannels: 16, kernel: 3,
        stride: stride, padding: 1)
      return ConvolutionAlgorithms.automatic(for: shape, isTraining: isTraining)
    }
    let mixed = ConvolutionAlgorithms(
      forward: .winograd4, backwardInput: .winograd6, backwardWeight: .winograd6)
    #expect(choice(30) == mixed)
    #expect(choice(30, isTraining: false) == ConvolutionAlgorithms(all: .winograd6))
    #expect(choice(30, channels: 129, isTraining: false) == ConvolutionAlgorithms(all: .winograd4))
    #expect(choice(15).backwardInput == .winograd4)
    #expect(choice(4) == ConvolutionAlgorithms(all: .winograd4))
    #expect(choice(2) == ConvolutionAlgorithms(all: .winograd2))
    let phased = ConvolutionAlgorithms(
      forward: .direct, backwardInput: .winograd4stride2, backwardWeight: .direct)
    #expect(choice(30, stride: 2) == phased)
    #expect(choice(30, channels: 64, stride: 2).forward == .direct)
    #expect(choice(30, channels: 64, stride: 2).backwardWeight == .winograd4stride2)
    #expect(choice(30, channels: 64, stride: 2, isTraining: false).forward == .winograd4stride2)
    #expect(choice(2, stride: 2) == .direct)
    #expect(choice(2, channels: 64, stride: 2) == .direct)
    #expect(choice(30, channels: 128) == mixed)
    #expect(choice(30, channels: 129) == ConvolutionAlgorithms(all: .winograd4))
  }

  @Test(arguments: InstructionSet.available)
  func `the bits do not depend on the number of threads`(_ set: InstructionSet) throws {
    for c in ConvolutionCase.all {
      var first: ConvolutionResults?
      for threads in 1...3 {
        let bench = try Bench(set, threads: threads)
        let results = try ConvolutionTests.run(bench, c, ConvolutionNumbers(bench, c))
        if let first { #expect(results == first, "\(c.testDescription) with \(threads) threads") }
        first = first ?? results
      }
    }
  }

  static func run(
    _ bench: Bench, _ c: ConvolutionCase, _ numbers: ConvolutionNumbers,
    algorithms: ConvolutionAlgorithms = .direct
  ) throws -> ConvolutionResults {
    let s = c.shape
    let n = c.images
    let convolution = Convolution(s, algorithms: algorithms, compute: bench.compute)
    try bench.compute.allocate(from: bench.arena)
    let input = try bench.activation(numbers.input, n, s.inputChannels, s.height, s.width)
    let dOutput = try bench.activation(numbers.dOutput, n, s.outputChannels, s.outputHeight, s.outputWidth)
    let output = try bench.activation(n, s.outputChannels, s.outputHeight, s.outputWidth)
    let dInput = try bench.activation(n, s.inputChannels, s.height, s.width)
    let dWeight = try bench.garbage(s.weightCount)
    let dBias = try bench.garbage(s.outputChannels)
    convolution.forward(input: input, weight: numbers.weight, bias: numbers.bias, output: output)
    convolution.backwardInput(dOutput: dOutput, weight: numbers.weight, dInput: dInput)
    convolution.backwardWeight(input: input, dOutput: dOutput, dWeight: dWeight, dBias: dBias)
    return ConvolutionResults(
      output: try bench.planar(output), dInput: try bench.planar(dInput), dWeight: dWeight.array,
      dBias: dBias.array,
      paddingIsZero: hasZeroPadding(output) && hasZeroPadding(dInput))
  }

  static func runStem(
    _ bench: Bench, _ c: ConvolutionCase, _ numbers: ConvolutionNumbers
  ) throws -> ConvolutionResults {
    let s = c.shape
    let stem = StemConvolution(s, compute: bench.compute)
    try bench.compute.allocate(from: bench.arena)
    let output = try bench.activation(c.images, s.outputChannels, s.outputHeight, s.outputWidth)
    let dOutput = try bench.activation(
      numbers.dOutput, c.images, s.outputChannels, s.outputHeight, s.outputWidth)
    let dWeight = try bench.garbage(s.weightCount)
    let dBias = try bench.garbage(s.outputChannels)
    stem.forward(images: numbers.input, weight: numbers.weight, bias: numbers.bias, output: output)
    stem.backwardWeight(images: numbers.input, dOutput: dOutput, dWeight: dWeight, dBias: dBias)
    return ConvolutionResults(
      output: try bench.planar(output), dWeight: dWeight.array, dBias: dBias.array,
      paddingIsZero: hasZeroPadding(output))
  }
}
