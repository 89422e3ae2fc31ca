/// An interval that holds the true value with a probability of 95 %.
struct Interval: Sendable, Equatable {
  let low: Double
  let high: Double

  /// 97.5 % of a normal distribution lie below so many deviations.
  static let normalQuantile = 1.959963984540054

  /// Wilson's score interval of a share of `count` independent trials.
  ///
  /// Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
  static func wilson(share: Double, count: Int) -> Interval {
    let (n, z) = (Double(max(count, 1)), normalQuantile)
    let scale = 1 / (1 + z * z / n)
    let centre = scale * (share + z * z / (2 * n))
    let half = scale * z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    return Interval(low: max(0, centre - half), high: min(1, centre + half))
  }

  /// Student's interval of the mean of independent values, two at least.
  static func student(_ values: [Double]) -> Interval {
    let half =
      studentQuantile(values.count - 1) * deviation(values) / Double(values.count).squareRoot()
    return Interval(low: mean(values) - half, high: mean(values) + half)
  }

  /// The mean; 0 without values.
  static func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }

  /// The standard deviation with n − 1; 0 for a single value.
  static func deviation(_ values: [Double]) -> Double {
    guard values.count > 1 else { return 0 }
    let average = mean(values)
    return (values.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(values.count - 1)).squareRoot()
  }

  /// 97.5 % of Student's distribution of so many degrees of freedom lie below this; exact to three digits.
  ///
  /// Source: tables for few, and Abramowitz and Stegun 26.7.5 for more degrees of freedom.
  static func studentQuantile(_ freedom: Int) -> Double {
    let known = [
      12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139,
    ]
    if freedom <= known.count { return known[max(freedom, 1) - 1] }
    let (z, n) = (normalQuantile, Double(freedom))
    let z3 = z * z * z
    let z5 = z3 * z * z
    let z7 = z5 * z * z
    return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n)
      + (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n)
  }
}

/// How far one subject is ahead of another one by the same protocol, on the same test images.
///
/// Both are tested on the same images with the same labels, so that differences are taken image by image, as
/// in McNemar's test: an image counts 1 where only the first is right, −1 where only the second is, and with
/// several seeds the mean of that. The interval is that of the mean over the images by the normal
/// distribution; with several seeds that of the mean over the seeds by Student's, if that is wider.
struct PairedDifference: Sendable, Equatable {
  let mean: Double
  let interval: Interval

  /// Of the first's predictions over the second's, run by run.
  init(_ first: [[Int]], over second: [[Int]], labels: [Int]) {
    let runs = min(first.count, second.count)
    func gain(_ run: Int, _ image: Int) -> Double {
      (first[run][image] == labels[image] ? 1 : 0) - (second[run][image] == labels[image] ? 1 : 0)
    }
    let byImage = labels.indices.map { image in
      (0..<runs).reduce(0.0) { $0 + gain($1, image) } / Double(max(runs, 1))
    }
    mean = Interval.mean(byImage)
    let half =
      Interval.normalQuantile * Interval.deviation(byImage) / Double(max(labels.count, 1)).squareRoot()
    var interval = Interval(low: mean - half, high: mean + half)
    if runs > 1 {
      let bySeed = (0..<runs).map { run in Interval.mean(labels.indices.map { gain(run, $0) }) }
      let spread = Interval.student(bySeed)
      if spread.high - spread.low > interval.high - interval.low { interval = spread }
    }
    self.interval = interval
  }

  /// Whether the first is better, beyond the interval.
  var isBeyond: Bool { interval.low > 0 }
}
