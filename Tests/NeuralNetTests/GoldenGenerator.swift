/// The counter-based generator of `Golden/generator.py`: inputs and weights are computed, not stored.
enum GoldenGenerator {
  /// The `index`-th 64 random bits of a stream, counted from 0.
  static func bits(seed: Int, index: Int) -> UInt64 {
    var z = UInt64(seed) &* 0xD134_2543_DE82_EF95 &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// A multiple of 2⁻²³ in [−1, 1).
  static func uniform(seed: Int, index: Int) -> Double {
    Double(bits(seed: seed, index: index) >> 40) * 0x1p-23 - 1
  }

  /// `offset + scale · uniform`, rounded to single precision.
  static func values(seed: Int, count: Int, scale: Double = 1, offset: Double = 0) -> [Float] {
    (0..<count).map { Float(offset + scale * uniform(seed: seed, index: $0)) }
  }
}
