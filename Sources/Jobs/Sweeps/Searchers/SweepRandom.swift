import Platform

/// Random numbers of one trial of one sweep: xoshiro256**, seeded by SplitMix64 from the sweep's seed, the
/// trial's number and a purpose.
///
/// The same three always give the same numbers, whatever was drawn for other trials before.
/// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47 (2021).
package struct SweepRandom: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// Which numbers of a trial.
  package enum Purpose: UInt64, Sendable {
    case configuration, candidates, starts, scramble
  }

  package init(seed: UInt64, number: Int, purpose: Purpose) {
    var mixer = SplitMix(state: seed)
    for word in [UInt64(bitPattern: Int64(number)), purpose.rawValue] {
      mixer = SplitMix(state: mixer.next() ^ (word &* 0xD1B5_4A32_D192_ED03))
    }
    state = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
  }

  /// The next 64 random bits.
  package mutating func next() -> UInt64 {
    let product = state.1 &* 5
    let result = (product << 7 | product >> 57) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = state.3 << 45 | state.3 >> 19
    return result
  }

  /// A number in [0, 1): a multiple of 2⁻⁵³.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

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

  /// A number from the normal distribution N(0, 1), by Box and Muller's method; it takes two uniform numbers.
  package mutating func normal() -> Double {
    let radius = (-2 * Mathematics.logarithm(1 - uniform())).squareRoot()
    return radius * Mathematics.cosine(2 * .pi * uniform())
  }

  /// A place in `weights`, each as likely as its weight; weights are not negative and not all zero.
  package mutating func place(weights: [Double]) -> Int {
    var rest = uniform() * weights.reduce(0, +)
    for (index, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return index }
    }
    return weights.lastIndex { $0 > 0 } ?? 0
  }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
