import Platform

/// Random numbers as a function of a key and a position: Philox4x32-10.
///
/// Two generators with the same seed and stream give the same numbers wherever and whenever they are used.
/// Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
package struct CounterRandom: RandomNumberGenerator, Sendable {
  private let key: SIMD2<UInt32>
  private let streamWords: SIMD2<UInt32>
  private var position: UInt64 = 0
  private var words = SIMD4<UInt32>()
  private var unread = 0

  /// A generator for `seed` and up to five numbers that name the purpose, such as epoch, sample and view.
  package init(
    seed: UInt64, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0, _ d: UInt64 = 0, _ e: UInt64 = 0
  ) {
    let high = CounterRandom.mix(seed, a, b, c, d, e, salt: 0x9E37_79B9_7F4A_7C15)
    let low = CounterRandom.mix(seed, a, b, c, d, e, salt: 0xD1B5_4A32_D192_ED03)
    key = SIMD2(UInt32(truncatingIfNeeded: high), UInt32(truncatingIfNeeded: high >> 32))
    streamWords = SIMD2(UInt32(truncatingIfNeeded: low), UInt32(truncatingIfNeeded: low >> 32))
  }

  /// The next 32 random bits.
  package mutating func nextWord() -> UInt32 {
    if unread == 0 {
      let counter = SIMD4(
        UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32),
        streamWords[0], streamWords[1])
      words = CounterRandom.philox(counter: counter, key: key)
      position += 1
      unread = 4
    }
    unread -= 1
    return words[3 - unread]
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    let low = nextWord()
    let high = nextWord()
    return UInt64(high) << 32 | UInt64(low)
  }

  /// A number in [0, 1): a multiple of 2⁻²⁴.
  package mutating func uniform() -> Float {
    Float(nextWord() >> 8) * 0x1p-24
  }

  /// A number in [`low`, `high`).
  package mutating func uniform(_ low: Float, _ high: Float) -> Float {
    let value = low + (high - low) * uniform()
    return value < high ? value : low
  }

  /// A number from the normal distribution N(0, 1), by Box and Muller's method; it takes two uniform numbers.
  package mutating func normal() -> Float {
    let radius = (-2 * Mathematics.logarithm(Double((nextWord() >> 8) + 1) * 0x1p-24)).squareRoot()
    return Float(radius * Mathematics.cosine(2 * .pi * Double(nextWord() >> 8) * 0x1p-24))
  }

  /// An integer in `0..<bound`, each equally likely; `bound` ≥ 1.
  package mutating func below(_ bound: Int) -> Int {
    precondition(bound >= 1, "a bound is at least 1")
    let width = UInt64(bound)
    // Lemire's method: the high half of a product, refusing the few low halves that would make a bias.
    let refused = (0 &- width) % width
    while true {
      let product = next().multipliedFullWidth(by: width)
      if product.low >= refused { return Int(product.high) }
    }
  }

  /// The integers `0..<count` in random order (Fisher–Yates).
  package mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, below(last + 1))
    }
    return order
  }

  /// The Philox4x32-10 block function.
  package static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let p0 = UInt64(c[0]) * 0xD251_1F53
      let p1 = UInt64(c[2]) * 0xCD9E_8D57
      c = SIMD4(
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: p0))
      k &+= SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }

  private static func mix(
    _ seed: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64, _ d: UInt64, _ e: UInt64, salt: UInt64
  ) -> UInt64 {
    var state = avalanche(seed ^ salt)
    for word in [a, b, c, d, e] { state = avalanche(state &* 0xBF58_476D_1CE4_E5B9 &+ word &+ salt) }
    return state
  }

  /// The finaliser of splitmix64.
  private static func avalanche(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
