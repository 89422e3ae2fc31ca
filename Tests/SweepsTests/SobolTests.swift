import JSONText
import Sweeps
import Testing

@Suite struct `The Sobol sequence` {
  @Test func `has SciPy's points in 64 dimensions`() throws {
    let points = try Golden.member("sobol").array ?? []
    let sequence = SobolSequence(dimensions: 64)
    #expect(points.count == 32)
    for (index, expected) in points.enumerated() {
      #expect(sequence.point(index).map { $0 * 0x1p32 } == expected.doubles, "point \(index)")
    }
  }

  @Test(arguments: [0, 1, 99] as [UInt64])
  func `fills every interval of each dimension once when scrambled`(seed: UInt64) {
    let sequence = SobolSequence(dimensions: 20, scrambledBy: seed)
    for dimension in 0..<20 {
      let intervals = (0..<64).map { Int(sequence.point($0)[dimension] * 64) }
      #expect(Set(intervals).count == 64)
    }
  }

  @Test func `keeps the evenness of its first pair of dimensions when scrambled`() {
    let sequence = SobolSequence(dimensions: 2, scrambledBy: 7)
    let points = (0..<64).map { sequence.point($0) }
    // A (0, 6, 2)-net in base 2: every box of volume 1/64 has one point.
    for bits in 0...6 {
      let boxes = points.map { [Int($0[0] * Double(1 << bits)), Int($0[1] * Double(64 >> bits))] }
      #expect(Set(boxes).count == 64)
    }
  }

  @Test func `is different for each seed, and each point's mean is one half`() {
    let means = (0..<400).map { SobolSequence(dimensions: 1, scrambledBy: UInt64($0)).point(0)[0] }
    #expect(Set(means).count == 400)
    #expect(abs(means.reduce(0, +) / 400 - 0.5) < 0.05)
  }

  @Test(arguments: [2, 6, 12], [50, 100])
  func `covers better than random points`(dimensions: Int, count: Int) {
    let seeds = UInt64(0)..<30
    let wins = seeds.filter { seed in
      let sequence = SobolSequence(dimensions: dimensions, scrambledBy: seed)
      var random = SweepRandom(seed: seed, number: 0, purpose: .configuration)
      let drawn = (0..<count).map { _ in (0..<dimensions).map { _ in random.uniform() } }
      return discrepancy((0..<count).map(sequence.point)) < discrepancy(drawn)
    }
    // Of 30, 20 or more have a chance of 5 % among equals.
    #expect(wins.count >= 20)
  }

  /// The centred L2 discrepancy (Hickernell, 1998).
  private func discrepancy(_ points: [[Double]]) -> Double {
    let (count, dimensions) = (Double(points.count), points[0].count)
    var single = 0.0
    var double = 0.0
    for a in points {
      let centred = a.map { abs($0 - 0.5) }
      var product = 1.0
      for part in centred { product *= 1 + (part - part * part) / 2 }
      single += product
      for b in points {
        var product = 1.0
        for k in 0..<dimensions {
          let sum: Double = centred[k] + abs(b[k] - 0.5) - abs(a[k] - b[k])
          product *= 1 + sum / 2
        }
        double += product
      }
    }
    var first = 1.0
    for _ in 0..<dimensions { first *= 13.0 / 12 }
    return first - 2 / count * single + double / (count * count)
  }
}
