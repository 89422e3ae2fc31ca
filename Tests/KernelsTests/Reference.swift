import Kernels
import Parallel
import Platform
import Tensors

/// Memory, threads and kernels for one test.
struct Bench {
  let arena: Arena
  let compute: Compute

  init(_ set: InstructionSet, threads: Int) throws {
    arena = try Arena(reservedBytes: 4 << 30)
    compute = Compute(team: try ThreadTeam(threads: threads), instructionSet: set)
  }

  /// `count` reproducible numbers from N(0, 1).
  func normal(_ count: Int, seed: UInt64) throws -> Floats {
    var random = CounterRandom(seed: seed)
    let floats = try arena.allocate(count)
    floats.copy(from: (0..<count).map { _ in random.normal() })
    return floats
  }

  /// Memory that holds a value which must not survive.
  func garbage(_ count: Int) throws -> Floats {
    let floats = try arena.allocate(count)
    floats.fill(77)
    return floats
  }

  /// An activation of given planar numbers.
  func activation(_ planar: Floats, _ n: Int, _ c: Int, _ h: Int, _ w: Int) throws -> Activation {
    let activation = try Activation(
      images: n, channels: c, height: h, width: w,
      storage: garbage(Activation.count(images: n, channels: c, height: h, width: w)))
    compute.blocked(planar: planar, into: activation)
    return activation
  }

  /// An activation full of garbage.
  func activation(_ n: Int, _ c: Int, _ h: Int, _ w: Int) throws -> Activation {
    try Activation(
      images: n, channels: c, height: h, width: w,
      storage: garbage(Activation.count(images: n, channels: c, height: h, width: w)))
  }

  /// The planar numbers of an activation.
  func planar(_ activation: Activation) throws -> [Float] {
    let floats = try arena.allocate(activation.images * activation.channels * activation.pixels)
    compute.planar(activation, into: floats)
    return floats.array
  }
}

/// The largest difference in units of `scale`, which is the largest expected magnitude if not given.
func relativeError(_ actual: [Float], _ expected: [Double], scale: Double? = nil) -> Double {
  guard actual.count == expected.count else { return .infinity }
  let scale = max(scale ?? expected.reduce(0) { max($0, abs($1)) }, 1e-30)
  return zip(actual, expected).reduce(0) { worst, pair in
    let difference = abs(Double(pair.0) - pair.1) / scale
    return difference.isNaN ? .infinity : max(worst, difference)
  }
}

/// Whether the lanes beyond the channels are zero everywhere.
func hasZeroPadding(_ a: Activation) -> Bool {
  let used = a.channels - (a.blocks - 1) * 16
  let numbers = a.storage.array
  for image in 0..<a.images {
    let block = (image * a.blocks + a.blocks - 1) * a.pixels
    for pixel in block..<block + a.pixels {
      for lane in used..<16 where numbers[pixel * 16 + lane] != 0 { return false }
    }
  }
  return true
}

/// The slow reference: a convolution in double precision on planar arrays, in the letters of
/// `ConvolutionShape`.
struct ReferenceConvolution {
  let s: ConvolutionShape
  let n: Int

  func forward(_ x: [Float], _ w: [Float], _ bias: [Float]?) -> [Double] {
    var y = [Double](repeating: 0, count: n * s.outputChannels * s.outputHeight * s.outputWidth)
    each { o, i, t in y[o] += Double(x[i]) * Double(w[t]) }
    guard let bias else { return y }
    let pixels = s.outputHeight * s.outputWidth
    for o in y.indices { y[o] += Double(bias[o / pixels % s.outputChannels]) }
    return y
  }

  func backwardInput(_ dy: [Float], _ w: [Float]) -> [Double] {
    var dx = [Double](repeating: 0, count: n * s.inputChannels * s.height * s.width)
    each { o, i, t in dx[i] += Double(dy[o]) * Double(w[t]) }
    return dx
  }

  func backwardWeight(_ x: [Float], _ dy: [Float]) -> [Double] {
    var dw = [Double](repeating: 0, count: s.weightCount)
    each { o, i, t in dw[t] += Double(dy[o]) * Double(x[i]) }
    return dw
  }

  func backwardBias(_ dy: [Float]) -> [Double] {
    var sums = [Double](repeating: 0, count: s.outputChannels)
    let pixels = s.outputHeight * s.outputWidth
    for o in dy.indices { sums[o / pixels % s.outputChannels] += Double(dy[o]) }
    return sums
  }

  /// Calls `body` with indices of output, input and weight for every product.
  private func each(_ body: (_ output: Int, _ input: Int, _ weight: Int) -> Void) {
    for image in 0..<n {
      for k in 0..<s.outputChannels {
        for y in 0..<s.outputHeight {
          for x in 0..<s.outputWidth {
            let o = ((image * s.outputChannels + k) * s.outputHeight + y) * s.outputWidth + x
            for c in 0..<s.inputChannels {
              for r in 0..<s.kernel {
                for q in 0..<s.kernel {
                  let row = y * s.stride + r - s.padding
                  let column = x * s.stride + q - s.padding
                  guard row >= 0, row < s.height, column >= 0, column < s.width else { continue }
                  body(
                    o, ((image * s.inputChannels + c) * s.height + row) * s.width + column,
                    ((k * s.inputChannels + c) * s.kernel + r) * s.kernel + q)
                }
              }
            }
          }
        }
      }
    }
  }
}
