import Parallel
import TensorElements
import Tensors

/// Draws parameters as each of them says (`Parameter.Initial`), each number a function of seed, parameter
/// name and position alone.
///
/// Writes the elements on the host, once before the first step: whatever computes the network takes the same
/// weights, and with them the same bits.
struct Initializer {
  /// Elements drawn from one random stream: tensors are filled in parallel by such blocks.
  private static let blockLength = 1 << 14
  /// Tells this purpose from others that use the same seed.
  private static let purpose: UInt64 = 0x1417

  /// Two initialisers with the same seed give the same numbers.
  let seed: UInt64
  /// Only how fast it goes depends on it.
  let team: ThreadTeam

  /// Sets every parameter; a bias must follow its weight, as in a state dict.
  func initialize(_ parameters: [Parameter]) {
    var fanIn = 1
    for parameter in parameters {
      let value = parameter.value
      if parameter.role == .weight { fanIn = parameter.shape.dropFirst().reduce(1, *) }
      switch parameter.initial {
      case .constant(let number): value.fill(number)
      case .uniformFanIn: fillUniform(value, bound: 1 / Float(fanIn).squareRoot(), stream: parameter.name)
      case .normalFanOut:
        let fanOut = parameter.shape[0] * parameter.shape.dropFirst(2).reduce(1, *)
        fillNormal(value, deviation: (2 / Float(fanOut)).squareRoot(), stream: parameter.name)
      }
    }
  }

  /// Sets running means to 0, running variances to 1 and counts to 0.
  static func reset(_ buffers: [Buffer]) {
    for buffer in buffers { buffer.value.fill(buffer.name.hasSuffix(".running_var") ? 1 : 0) }
  }

  /// Uniform in [−bound, bound).
  func fillUniform(_ values: Floats, bound: Float, stream: String) {
    fill(values, stream: stream) { $0.uniform(-bound, bound) }
  }

  /// N(0, deviation²).
  func fillNormal(_ values: Floats, deviation: Float, stream: String) {
    fill(values, stream: stream) { deviation * $0.normal() }
  }

  private func fill(_ values: Floats, stream: String, _ draw: (inout CounterRandom) -> Float) {
    let name = Initializer.hash(stream)
    let blocks = (values.count + Initializer.blockLength - 1) / Initializer.blockLength
    team.run(tasks: blocks) { block in
      var random = CounterRandom(seed: seed, Initializer.purpose, name, UInt64(block))
      let start = block * Initializer.blockLength
      for index in start..<min(start + Initializer.blockLength, values.count) {
        values[index] = draw(&random)
      }
    }
  }

  /// FNV-1a: a name as a number that is the same in every process.
  private static func hash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
