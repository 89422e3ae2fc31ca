import Kernels
import Tensors
import Testing

/// Max-pooling against loops over planar arrays, with PyTorch's rules for borders, equal values and NaN.
@Suite struct `Max-pooling` {
  /// One size of maps and windows.
  struct Case: Sendable, CustomTestStringConvertible {
    var images, channels, height, width: Int
    var window: PoolWindow

    init(_ images: Int, _ channels: Int, _ height: Int, _ width: Int, _ window: PoolWindow) {
      (self.images, self.channels, self.height, self.width) = (images, channels, height, width)
      self.window = window
    }

    var testDescription: String {
      "\(images)×\(channels)×\(height)×\(width), \(window.kernel)/\(window.stride)+\(window.padding)"
    }
    var rows: Int { window.outputs(of: height) }
    var columns: Int { window.outputs(of: width) }
    var inputCount: Int { images * channels * height * width }
    var outputCount: Int { images * channels * rows * columns }

    /// Position of the first largest value of each window in `values`, planar.
    func positions(_ values: [Float]) -> [Int] {
      (0..<outputCount).map { output in
        let map = output / (rows * columns)
        let top = output / columns % rows * window.stride - window.padding
        let left = output % columns * window.stride - window.padding
        var best: Int?
        for y in max(0, top)..<min(height, top + window.kernel) {
          for x in max(0, left)..<min(width, left + window.kernel) {
            let index = (map * height + y) * width + x
            guard let present = best else { best = index; continue }
            if values[index] > values[present] || values[index].isNaN { best = index }
          }
        }
        return best ?? -1
      }
    }
  }

  private static let imagenet = PoolWindow(kernel: 3, stride: 2, padding: 1)
  static let cases = [
    Case(2, 16, 8, 8, imagenet), Case(3, 20, 7, 9, imagenet), Case(1, 3, 1, 1, imagenet),
    Case(2, 33, 2, 5, imagenet), Case(1, 16, 13, 4, imagenet),
    Case(2, 16, 6, 7, PoolWindow(kernel: 2, stride: 2, padding: 0)),
    Case(1, 40, 9, 9, PoolWindow(kernel: 3, stride: 1, padding: 1)),
    Case(1, 17, 10, 11, PoolWindow(kernel: 5, stride: 3, padding: 2)),
  ]

  /// Values with many equal neighbours.
  private func ties(_ count: Int, seed: UInt64) -> [Float] {
    var random = CounterRandom(seed: seed)
    return (0..<count).map { _ in Float(random.below(3)) - 1 }
  }

  private func run(
    _ bench: Bench, _ c: Case, _ values: [Float], _ dValues: [Float]
  ) throws -> (output: [Float], dInput: [Float], isPadded: Bool) {
    try bench.compute.allocate(from: bench.arena)
    let planar = try bench.arena.allocate(c.inputCount)
    planar.copy(from: values)
    let dPlanar = try bench.arena.allocate(c.outputCount)
    dPlanar.copy(from: dValues)
    let input = try bench.activation(planar, c.images, c.channels, c.height, c.width)
    let output = try bench.activation(c.images, c.channels, c.rows, c.columns)
    bench.compute.maxPool(input, c.window, into: output)
    let dOutput = try bench.activation(dPlanar, c.images, c.channels, c.rows, c.columns)
    let dInput = try bench.activation(c.images, c.channels, c.height, c.width)
    bench.compute.maxPoolBackward(input: input, c.window, dOutput: dOutput, into: dInput)
    return (
      try bench.planar(output), try bench.planar(dInput), hasZeroPadding(output) && hasZeroPadding(dInput)
    )
  }

  @Test(arguments: InstructionSet.available, cases)
  func `takes the first largest value, and gives it the gradient`(_ set: InstructionSet, _ c: Case) throws {
    let values = ties(c.inputCount, seed: 1)
    let dValues = try Bench(set, threads: 1).normal(c.outputCount, seed: 2).array
    let positions = c.positions(values)
    var dInput = [Double](repeating: 0, count: c.inputCount)
    for (output, position) in positions.enumerated() { dInput[position] += Double(dValues[output]) }
    let results = try (1...3).map { try run(Bench(set, threads: $0), c, values, dValues) }
    #expect(results[0].output == positions.map { values[$0] })
    #expect(relativeError(results[0].dInput, dInput) < 1e-6)
    #expect(results[0].isPadded)
    #expect(results.allSatisfy { $0.output == results[0].output && $0.dInput == results[0].dInput })
  }

  @Test(arguments: InstructionSet.available)
  func `a border is smaller than any number, and NaN larger`(_ set: InstructionSet) throws {
    let c = Case(1, 1, 2, 4, Self.imagenet)
    let lowest = -Float.greatestFiniteMagnitude
    let low = try run(
      Bench(set, threads: 1), c, [lowest, lowest, -.infinity, -.infinity, lowest, lowest, -.infinity, -3],
      [5, 7])
    #expect(low.output == [lowest, -3])
    #expect(low.dInput == [5, 0, 0, 0, 0, 0, 0, 7])
    let odd = try run(Bench(set, threads: 1), c, [1, .nan, 3, 4, 9, 2, 8, 5], [5, 7])
    #expect(odd.output.allSatisfy { $0.isNaN })
    #expect(odd.dInput == [0, 12, 0, 0, 0, 0, 0, 0])
  }

  @Test(arguments: InstructionSet.available, [1, 2])
  func `normalises and rectifies what it reads`(_ set: InstructionSet, _ views: Int) throws {
    let c = Case(4, 20, 9, 7, Self.imagenet)
    let bench = try Bench(set, threads: 2)
    let parameters = NormParameters(
      weight: try bench.normal(c.channels, seed: 3), bias: try bench.normal(c.channels, seed: 4))
    let normalization = try Normalization(parameters, views: views, arena: bench.arena)
    try bench.compute.allocate(from: bench.arena)
    let input = try bench.activation(
      bench.normal(c.inputCount, seed: 5), c.images, c.channels, c.height, c.width)
    bench.compute.takeStatistics(of: input, normalization)
    let rectified = try bench.activation(c.images, c.channels, c.height, c.width)
    bench.compute.normalize(input, normalization, relu: true, output: rectified)
    let dOutput = try bench.activation(
      bench.normal(c.outputCount, seed: 6), c.images, c.channels, c.rows, c.columns)
    func run(_ input: Activation, _ normalization: Normalization?) throws -> ([Float], [Float]) {
      let output = try bench.activation(c.images, c.channels, c.rows, c.columns)
      let dInput = try bench.activation(c.images, c.channels, c.height, c.width)
      bench.compute.maxPool(input, c.window, normalization: normalization, into: output)
      bench.compute.maxPoolBackward(
        input: input, c.window, normalization: normalization, dOutput: dOutput, into: dInput)
      #expect(hasZeroPadding(output) && hasZeroPadding(dInput))
      return (try bench.planar(output), try bench.planar(dInput))
    }
    let (fused, apart) = (try run(input, normalization), try run(rectified, nil))
    #expect(fused.0 == apart.0 && fused.1 == apart.1)
  }
}
