import Kernels
import Parallel
import Platform
import Tensors

/// `vicregd bench layers`: time and rate of every kind of convolution and product in a network's step.
enum BenchLayers {
  /// What is measured: one operation of one layer.
  struct Measurement {
    var layer: String
    var operation: String
    /// The shortest wall-clock time.
    var milliseconds: Double
    /// Rate over the processor time of that round, for each thread.
    var gigaflopsOfThread: Double
    /// Part of the measured peak rate.
    var share: Double
  }

  /// A layer of a ResNet-18 for 32×32 images.
  struct Layer {
    var name: String
    var shape: ConvolutionShape
    var isStem = false
  }

  /// The distinct layers of a ResNet-18 of `width` for `views` images, with its projector.
  static func layers(width w: Int, views n: Int) -> [Layer] {
    func layer(_ name: String, _ c: Int, _ side: Int, _ k: Int, _ kernel: Int, _ stride: Int) -> Layer {
      let shape = ConvolutionShape(
        images: n, inputChannels: c, height: side, width: side, outputChannels: k, kernel: kernel,
        stride: stride, padding: kernel / 2)
      return Layer(name: name, shape: shape)
    }
    let stem = ConvolutionShape(
      images: n, inputChannels: 3, height: 32, width: 32, outputChannels: w, kernel: 3)
    return [
      Layer(name: "stem 3→\(w) 32", shape: stem, isStem: true),
      layer("3×3 \(w) 30", w, 30, w, 3, 1),
      layer("3×3/2 \(w)→\(2 * w) 30", w, 30, 2 * w, 3, 2),
      layer("1×1/2 \(w)→\(2 * w) 30", w, 30, 2 * w, 1, 2),
      layer("3×3 \(2 * w) 15", 2 * w, 15, 2 * w, 3, 1),
      layer("3×3/2 \(2 * w)→\(4 * w) 15", 2 * w, 15, 4 * w, 3, 2),
      layer("3×3 \(4 * w) 8", 4 * w, 8, 4 * w, 3, 1),
      layer("3×3/2 \(4 * w)→\(8 * w) 8", 4 * w, 8, 8 * w, 3, 2),
      layer("3×3 \(8 * w) 4", 8 * w, 4, 8 * w, 3, 1),
      Layer(name: "linear \(8 * w)→1024", shape: .linear(rows: n, inputs: 8 * w, outputs: 1024)),
    ]
  }

  /// Measures all operations of `layers`, the shortest of `rounds`, and hands each to `report`.
  static func measure(
    _ layers: [Layer], compute: Compute, rounds: Int, report: (Measurement) -> Void
  ) throws {
    let peak = peakOfThread(compute)
    for layer in layers {
      let arena = try Arena()
      for (operation, run) in try operations(layer, compute, arena) {
        var best = UInt64.max
        var bestRun = UInt64.max
        for _ in 0..<rounds {
          let start = SystemClock.monotonicNanoseconds
          let startRun = CPU.processNanoseconds
          run()
          bestRun = min(bestRun, CPU.processNanoseconds - startRun)
          best = min(best, SystemClock.monotonicNanoseconds - start)
        }
        let flops = 2 * layer.shape.multiplyAddsPerImage * layer.shape.images
        let rate = Double(flops) / Double(bestRun)
        report(
          Measurement(
            layer: layer.name, operation: operation, milliseconds: Double(best) / 1e6,
            gigaflopsOfThread: rate, share: rate / peak))
      }
    }
  }

  /// Billions of operations a second that one thread reaches on registers alone.
  static func peakOfThread(_ compute: Compute) -> Double {
    (0..<5).reduce(0) { best, _ in
      let start = CPU.processNanoseconds
      let flops = compute.multiplyAtPeak(steps: 1_000_000)
      return max(best, Double(flops) / Double(CPU.processNanoseconds - start))
    }
  }

  /// The operations of a layer on buffers of their own.
  private static func operations(
    _ layer: Layer, _ compute: Compute, _ arena: Arena
  ) throws -> [(String, () -> Void)] {
    let s = layer.shape
    let weight = try random(s.weightCount, arena)
    let dWeight = try arena.allocate(s.weightCount)
    let output = try Activation(
      images: s.images, channels: s.outputChannels, height: s.outputHeight, width: s.outputWidth,
      storage: random(outputCount(s), arena))
    if layer.isStem {
      let stem = StemConvolution(s, compute: compute)
      let images = try random(s.images * s.inputChannels * s.height * s.width, arena)
      try compute.allocate(from: arena)
      return [
        ("forward", { stem.forward(images: images, weight: weight, bias: nil, output: output) }),
        ("dW", { stem.backwardWeight(images: images, dOutput: output, dWeight: dWeight, dBias: nil) }),
      ]
    }
    let convolution = Convolution(s, compute: compute)
    let inputCount = Activation.count(
      images: s.images, channels: s.inputChannels, height: s.height, width: s.width)
    let input = try Activation(
      images: s.images, channels: s.inputChannels, height: s.height, width: s.width,
      storage: random(inputCount, arena))
    try compute.allocate(from: arena)
    return [
      ("forward", { convolution.forward(input: input, weight: weight, bias: nil, output: output) }),
      ("dX", { convolution.backwardInput(dOutput: output, weight: weight, dInput: input) }),
      ("dW", { convolution.backwardWeight(input: input, dOutput: output, dWeight: dWeight, dBias: nil) }),
    ]
  }

  private static func outputCount(_ s: ConvolutionShape) -> Int {
    Activation.count(
      images: s.images, channels: s.outputChannels, height: s.outputHeight, width: s.outputWidth)
  }

  private static func random(_ count: Int, _ arena: Arena) throws -> Floats {
    var random = CounterRandom(seed: 1)
    let floats = try arena.allocate(count)
    for i in 0..<count { floats[i] = random.uniform(-1, 1) }
    return floats
  }
}
