import Kernels
import Tensors
import Testing

/// A batch to normalise: N, C, H, W.
struct NormCase: Sendable, CustomTestStringConvertible {
  var n: Int
  var c: Int
  var h: Int
  var w: Int

  var testDescription: String { "\(n)×\(c)×\(h)×\(w)" }

  static let all = [
    NormCase(n: 2, c: 1, h: 1, w: 1), NormCase(n: 1, c: 15, h: 1, w: 2), NormCase(n: 3, c: 16, h: 1, w: 1),
    NormCase(n: 1, c: 17, h: 7, w: 1), NormCase(n: 1, c: 31, h: 3, w: 3), NormCase(n: 2, c: 48, h: 4, w: 4),
    NormCase(n: 5, c: 19, h: 3, w: 5), NormCase(n: 130, c: 40, h: 1, w: 1),
    NormCase(n: 3, c: 16, h: 40, w: 37), NormCase(n: 70, c: 33, h: 8, w: 8),
  ]
}

@Suite struct BatchNormTests {
  @Test(arguments: InstructionSet.available, NormCase.all)
  func `statistics are exact even far from zero`(_ set: InstructionSet, _ c: NormCase) throws {
    let bench = try Bench(set, threads: 2)
    try bench.compute.allocate(from: bench.arena)
    let planar = try bench.normal(c.n * c.c * c.h * c.w, seed: 5)
    for i in 0..<planar.count { planar[i] += 1000 }
    let x = try bench.activation(planar, c.n, c.c, c.h, c.w)
    let statistics = try BatchNormTests.statistics(bench, c.c)
    bench.compute.statistics(of: x, into: statistics)
    let (mean, variance) = BatchNormTests.reference(planar.array, c)
    #expect(relativeError(statistics.mean.array, mean) < 1e-7)
    #expect(relativeError(statistics.variance.array, variance) < 1e-5)
  }

  @Test(arguments: InstructionSet.available, NormCase.all)
  func `forward and backward agree with a double precision reference`(_ set: InstructionSet, _ c: NormCase)
    throws
  {
    for mask in 0..<3 {
      let bench = try Bench(set, threads: 2)
      let run = try NormRun(bench, c, mask: mask)
      let reference = NormReference(c, run, mask: mask)
      #expect(relativeError(run.output, reference.output) < 3e-6)
      #expect(relativeError(run.dInput, reference.dInput, scale: reference.dInputScale) < 2e-6)
      #expect(relativeError(run.dWeight, reference.dWeight) < 1e-5)
      #expect(relativeError(run.dBias, reference.dBias) < 5e-6)
      #expect(relativeError(run.dResidual, reference.dResidual) < 1e-7)
      #expect(run.paddingIsZero)
    }
  }

  @Test(arguments: InstructionSet.available)
  func `each view is normalised on its own`(_ set: InstructionSet) throws {
    let both = NormCase(n: 6, c: 20, h: 5, w: 3)
    let run = try NormRun(try Bench(set, threads: 2), both, mask: 1, views: 2)
    let half = 3 * 20 * 15
    var sums = [Double](repeating: 0, count: 20)
    for view in 0..<2 {
      var part = run
      for path in [\NormRun.x, \.residual, \.gradient, \.output] {
        part[keyPath: path] = Array(run[keyPath: path][view * half..<(view + 1) * half])
      }
      let reference = NormReference(NormCase(n: 3, c: 20, h: 5, w: 3), part, mask: 1)
      #expect(relativeError(part.output, reference.output) < 3e-6)
      let dInput = Array(run.dInput[view * half..<(view + 1) * half])
      #expect(relativeError(dInput, reference.dInput, scale: reference.dInputScale) < 2e-6)
      for channel in 0..<20 { sums[channel] += reference.dBias[channel] }
    }
    #expect(relativeError(run.dBias, sums) < 5e-6)
  }

  @Test(arguments: InstructionSet.available)
  func `the bits do not depend on the number of threads`(_ set: InstructionSet) throws {
    for c in NormCase.all {
      let one = try NormRun(try Bench(set, threads: 1), c, mask: 1)
      let three = try NormRun(try Bench(set, threads: 3), c, mask: 1)
      #expect(one.output == three.output && one.dInput == three.dInput && one.dWeight == three.dWeight)
    }
  }

  static func statistics(_ bench: Bench, _ channels: Int) throws -> ChannelStatistics {
    ChannelStatistics(mean: try bench.garbage(channels), variance: try bench.garbage(channels))
  }

  static func reference(_ x: [Float], _ c: NormCase) -> (mean: [Double], variance: [Double]) {
    let pixels = c.h * c.w
    var mean = [Double](repeating: 0, count: c.c)
    var variance = mean
    for i in x.indices { mean[i / pixels % c.c] += Double(x[i]) / Double(c.n * pixels) }
    for i in x.indices {
      let d = Double(x[i]) - mean[i / pixels % c.c]
      variance[i / pixels % c.c] += d * d / Double(c.n * pixels)
    }
    return (mean, variance)
  }
}

/// One forward and backward pass: without ReLU, with a plain ReLU, or with a residual added before the ReLU.
struct NormRun {
  var x: [Float]
  var residual: [Float]
  var gradient: [Float]
  var weight: [Float]
  var bias: [Float]
  var output: [Float]
  var dInput: [Float]
  var dWeight: [Float]
  var dBias: [Float]
  var dResidual: [Float]
  var paddingIsZero: Bool

  init(_ bench: Bench, _ c: NormCase, mask: Int, views: Int = 1) throws {
    let compute = bench.compute
    try compute.allocate(from: bench.arena)
    let count = c.n * c.c * c.h * c.w
    let planar = try bench.normal(count, seed: 6)
    let planarResidual = try bench.normal(count, seed: 7)
    let planarGradient = try bench.normal(count, seed: 8)
    let gamma = try bench.normal(c.c, seed: 9)
    let beta = try bench.normal(c.c, seed: 10)
    let parameters = NormParameters(weight: gamma, bias: beta, epsilon: 1e-3)
    let input = try bench.activation(planar, c.n, c.c, c.h, c.w)
    let added = try bench.activation(planarResidual, c.n, c.c, c.h, c.w)
    let dOutput = try bench.activation(c.n, c.c, c.h, c.w)
    let result = try bench.activation(c.n, c.c, c.h, c.w)
    let normalization = try Normalization(parameters, views: views, arena: bench.arena)
    compute.takeStatistics(of: input, normalization)
    compute.normalize(
      input, normalization, residual: mask == 2 ? added : nil, relu: mask > 0, output: result)
    let gammaGradient = try bench.garbage(c.c)
    let betaGradient = try bench.garbage(c.c)
    let masks: [ReLUMask] = [.none, .recomputed, .output(result)]
    let masked = try bench.activation(planarGradient, c.n, c.c, c.h, c.w)
    compute.applyEpilogue(
      to: masked,
      BackwardEpilogue(
        normalization, input: input, mask: masks[mask], dWeight: gammaGradient, dBias: betaGradient))
    compute.normalizeBackward(
      BackwardPrologue(masked, behind: normalization, input: input), dInput: dOutput)
    x = planar.array
    residual = planarResidual.array
    gradient = planarGradient.array
    weight = gamma.array
    bias = beta.array
    output = try bench.planar(result)
    dInput = try bench.planar(dOutput)
    dWeight = gammaGradient.array
    dBias = betaGradient.array
    dResidual = try bench.planar(masked)
    paddingIsZero = hasZeroPadding(result) && hasZeroPadding(dOutput) && hasZeroPadding(masked)
  }
}

/// The same in double precision.
struct NormReference {
  var output: [Double]
  var dInput: [Double]
  /// The largest term of the input gradient, before the terms cancel.
  var dInputScale: Double
  var dWeight: [Double]
  var dBias: [Double]
  var dResidual: [Double]

  init(_ c: NormCase, _ run: NormRun, mask: Int) {
    let pixels = c.h * c.w
    let m = Double(c.n * pixels)
    let (mean, variance) = BatchNormTests.reference(run.x, c)
    func channel(_ i: Int) -> Int { i / pixels % c.c }
    func normal(_ i: Int) -> Double {
      (Double(run.x[i]) - mean[channel(i)]) / (variance[channel(i)] + 1e-3).squareRoot()
    }
    let before = run.x.indices.map {
      normal($0) * Double(run.weight[channel($0)]) + Double(run.bias[channel($0)])
        + (mask == 2 ? Double(run.residual[$0]) : 0)
    }
    output = before.map { mask > 0 ? max($0, 0) : $0 }
    // The sign is taken as the run saw it: rounding may flip what is nearly zero.
    let g = run.x.indices.map { mask > 0 && run.output[$0] <= 0 ? 0 : Double(run.gradient[$0]) }
    var sums = [Double](repeating: 0, count: c.c)
    var products = sums
    for i in g.indices {
      sums[channel(i)] += g[i]
      products[channel(i)] += g[i] * normal(i)
    }
    let factors = (0..<c.c).map { Double(run.weight[$0]) / (variance[$0] + 1e-3).squareRoot() }
    dInput = g.indices.map { i in
      let k = channel(i)
      return factors[k] * (g[i] - sums[k] / m - normal(i) * products[k] / m)
    }
    dInputScale = g.indices.reduce(0) { max($0, abs(factors[channel($1)] * g[$1])) }
    dResidual = g
    dWeight = products
    dBias = sums
  }
}
