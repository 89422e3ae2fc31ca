import Kernels
import Platform
import Tensors
import Testing

@Suite struct ElementwiseTests {
  static let counts = [1, 15, 16, 17, 100, 40_003]

  @Test(arguments: InstructionSet.available, counts)
  func `sums and products agree with scalar loops`(_ set: InstructionSet, _ count: Int) throws {
    let bench = try Bench(set, threads: 2)
    let compute = bench.compute
    try compute.allocate(from: bench.arena)
    let x = try bench.normal(count, seed: 1)
    let y = try bench.normal(count, seed: 2)
    let (a, b) = (x.array, y.array)
    let squares = a.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(compute.sumOfSquares(x) / squares - 1) < 1e-6)
    compute.add(x, to: y)
    #expect(y.array == zip(a, b).map { $0 + $1 })
    compute.scale(y, by: 3)
    #expect(y.array == zip(a, b).map { ($0 + $1) * 3 })
    compute.copy(x, to: y)
    #expect(y.array == a)
    compute.fill(y, with: 2.5)
    #expect(y.array == Array(repeating: 2.5, count: count))
  }

  @Test(arguments: InstructionSet.available)
  func `a map's mean goes forth and its gradient back`(_ set: InstructionSet) throws {
    let bench = try Bench(set, threads: 2)
    try bench.compute.allocate(from: bench.arena)
    let planar = try bench.normal(5 * 18 * 15, seed: 1)
    let input = try bench.activation(planar, 5, 18, 3, 5)
    #expect(try bench.planar(input) == planar.array)
    let output = try bench.activation(5, 18, 1, 1)
    bench.compute.averagePool(input, into: output)
    let numbers = planar.array
    let means = (0..<90).map { map in (0..<15).reduce(0.0) { $0 + Double(numbers[map * 15 + $1]) } / 15 }
    #expect(relativeError(try bench.planar(output), means) < 1e-6)
    let dInput = try bench.activation(5, 18, 3, 5)
    bench.compute.averagePoolBackward(dOutput: output, into: dInput)
    let shares = (0..<1350).map { means[$0 / 15] / 15 }
    #expect(relativeError(try bench.planar(dInput), shares) < 1e-6)
    #expect(hasZeroPadding(dInput))
  }

  @Test(arguments: InstructionSet.available, [false, true])
  func `Adam and AdamW follow their definition`(_ set: InstructionSet, _ decoupled: Bool) throws {
    let count = 37
    let bench = try Bench(set, threads: 2)
    let value = try bench.normal(count, seed: 1)
    let first = try bench.arena.allocate(count)
    let second = try bench.arena.allocate(count)
    var v = value.array.map { Double($0) }
    var m = [Double](repeating: 0, count: count)
    var s = m
    for step in 1...5 {
      let gradient = try bench.normal(count, seed: 1 + UInt64(step))
      let update = ParameterUpdate(value: value, gradient: gradient, first: first, second: second)
      bench.compute.adam(
        ParameterUpdates([update]),
        AdamStep(step: step, learningRate: 0.01, weightDecay: 0.1, decoupled: decoupled))
      for i in 0..<count {
        let g = Double(gradient[i]) + (decoupled ? 0 : 0.1 * v[i])
        if decoupled { v[i] *= 1 - 0.01 * 0.1 }
        m[i] = 0.9 * m[i] + 0.1 * g
        s[i] = 0.999 * s[i] + 0.001 * g * g
        let correction = 1 - Mathematics.power(0.999, Double(step))
        let root = (s[i] / correction).squareRoot() + 1e-8
        v[i] -= 0.01 * m[i] / (1 - Mathematics.power(0.9, Double(step))) / root
      }
    }
    #expect(relativeError(value.array, v) < 1e-6)
  }

  @Test(arguments: InstructionSet.available)
  func `momentum follows its definition`(_ set: InstructionSet) throws {
    let count = 21
    let bench = try Bench(set, threads: 1)
    let value = try bench.normal(count, seed: 1)
    let velocity = try bench.arena.allocate(count)
    let gradient = try bench.normal(count, seed: 2)
    var v = value.array.map { Double($0) }
    var u = [Double](repeating: 0, count: count)
    let updates = ParameterUpdates([ParameterUpdate(value: value, gradient: gradient, first: velocity)])
    for _ in 0..<3 {
      bench.compute.momentum(
        updates, [MomentumStep(learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, gradientScale: 0.5)])
      for i in 0..<count {
        u[i] = 0.9 * u[i] + 0.5 * (Double(gradient[i]) + 0.01 * v[i])
        v[i] -= 0.1 * u[i]
      }
    }
    #expect(relativeError(value.array, v) < 1e-6)
  }

  @Test func `every element of long and short parameters is updated once`() throws {
    let bench = try Bench(.baseline, threads: 3)
    let counts = [1, 40_003, 16, 16_384, 7, 5, 16_383, 1, 0, 3]
    let gradients = try counts.enumerated().map { try bench.normal($1, seed: UInt64($0)) }
    let values = try counts.map { try bench.arena.allocate($0) }
    for value in values { value.fill(1) }
    let updates = ParameterUpdates(
      zip(values, gradients).map { ParameterUpdate(value: $0, gradient: $1) })
    // A rate of its own for each parameter, all exact.
    bench.compute.momentum(
      updates, counts.indices.map { MomentumStep(learningRate: 1 / Float(1 << $0)) })
    for (index, value) in values.enumerated() {
      #expect(value.array == gradients[index].array.map { 1 - $0 / Float(1 << index) })
    }
  }

  @Test func `an unknown or missing instruction set is refused with those allowed`() throws {
    #expect(try InstructionSet.named(nil) == InstructionSet.available.last)
    #expect(try InstructionSet.named("baseline") == .baseline)
    let error = #expect(throws: InstructionSetError.self) { try InstructionSet.named("sse9") }
    #expect(error?.description.contains("sse9") == true)
    #expect(error?.description.contains("baseline") == true)
  }
}
