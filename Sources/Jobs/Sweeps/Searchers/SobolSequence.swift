/// Points of the Sobol sequence in base 2, which fill the unit cube more evenly than random ones; with a
/// seed, scrambled.
///
/// The points come in Gray-code order (Antonov and Saleev, 1979), the first one being the origin. Scrambling
/// is Owen's nested uniform scramble: each binary digit is flipped or not by a random function of the digits
/// before it, which keeps the evenness and makes every single point uniformly distributed.
/// Source: Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences", 1995.
package struct SobolSequence: Sendable {
  package let dimensions: Int
  /// One key per dimension; empty: not scrambled.
  private let keys: [UInt64]

  package static let dimensionsMax = SobolDirections.numbers.count

  /// The sequence in 1…`dimensionsMax` dimensions; scrambled if there is a seed.
  package init(dimensions: Int, scrambledBy seed: UInt64? = nil) {
    precondition((1...Self.dimensionsMax).contains(dimensions), "the table has direction numbers for it")
    self.dimensions = dimensions
    keys =
      seed.map { seed in
        (0..<dimensions).map { dimension in
          var random = SweepRandom(seed: seed, number: dimension, purpose: .scramble)
          return random.next()
        }
      } ?? []
  }

  /// Point `index`, counted from 0: coordinates in [0, 1), multiples of 2⁻³².
  package func point(_ index: Int) -> [Double] {
    let gray = UInt32(truncatingIfNeeded: index ^ (index >> 1))
    return (0..<dimensions).map { dimension in
      let numbers = SobolDirections.numbers[dimension]
      var (digits, rest, bit) = (UInt32(0), gray, 0)
      while rest != 0 {
        if rest & 1 == 1 { digits ^= numbers[bit] }
        rest >>= 1
        bit += 1
      }
      if !keys.isEmpty { digits = Self.scrambled(digits, by: keys[dimension]) }
      return Double(digits) * 0x1p-32
    }
  }

  private static func scrambled(_ digits: UInt32, by key: UInt64) -> UInt32 {
    var flips: UInt32 = 0
    for depth in 0..<UInt32(32) {
      // The digits before this one, with a mark above them that tells 0 from 00.
      let prefix = depth == 0 ? 1 : UInt64(digits >> (32 - depth)) | 1 << UInt64(depth)
      flips = flips << 1 | UInt32(mixed(prefix &* 0x9E37_79B9_7F4A_7C15 ^ key) >> 63)
    }
    return digits ^ flips
  }

  /// The finaliser of SplitMix64.
  private static func mixed(_ word: UInt64) -> UInt64 {
    var word = word
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
