/// What some values of one metric come to: the content of a node of the pyramid, of a bucket of a curve, of a
/// summary.
struct MetricAggregate: Sendable, Equatable {
  /// Lowest and highest step of the values.
  private(set) var firstStep: Int
  private(set) var lastStep: Int
  /// Values that are finite.
  private(set) var finite = 0
  /// Values that are not, which `mean`, `min` and `max` leave out.
  private(set) var notFinite = 0
  /// 0 without finite values.
  private(set) var mean = 0.0
  /// The lowest finite value and its first step; `nil` without finite values, as is `max`.
  private(set) var min: (value: Double, step: Int)?
  private(set) var max: (value: Double, step: Int)?
  /// The last value in the order of the lines; NaN if it is not finite.
  private(set) var last: Double

  /// Of one value.
  init(step: Int, value: Double) {
    (firstStep, lastStep, last) = (step, step, value)
    add(step: step, value: value)
  }

  /// As it was stored.
  init(
    steps: ClosedRange<Int>, finite: Int, notFinite: Int, mean: Double,
    min: (value: Double, step: Int)?, max: (value: Double, step: Int)?, last: Double
  ) {
    (firstStep, lastStep, self.finite, self.notFinite) = (
      steps.lowerBound, steps.upperBound, finite, notFinite
    )
    (self.mean, self.min, self.max, self.last) = (mean, min, max, last)
  }

  /// Adds a value that comes after all others in the order of the lines.
  mutating func add(step: Int, value: Double) {
    firstStep = Swift.min(firstStep, step)
    lastStep = Swift.max(lastStep, step)
    last = value.isFinite ? value : .nan
    guard value.isFinite else {
      notFinite += 1
      return
    }
    finite += 1
    mean = Self.mean(of: mean, and: value, share: 1 / Double(finite))
    if value < min?.value ?? .infinity { min = (value, step) }
    if value > max?.value ?? -.infinity { max = (value, step) }
  }

  /// Adds values that come after all of these in the order of the lines.
  mutating func add(_ other: MetricAggregate) {
    firstStep = Swift.min(firstStep, other.firstStep)
    lastStep = Swift.max(lastStep, other.lastStep)
    last = other.last
    notFinite += other.notFinite
    if other.finite == 0 { return }
    finite += other.finite
    mean = Self.mean(of: mean, and: other.mean, share: Double(other.finite) / Double(finite))
    if let least = other.min, least.value < min?.value ?? .infinity { min = least }
    if let most = other.max, most.value > max?.value ?? -.infinity { max = most }
  }

  /// `(1 − share) a + share b`, also where the difference of the two is beyond the doubles.
  private static func mean(of a: Double, and b: Double, share: Double) -> Double {
    let difference = b - a
    return difference.isFinite ? a + difference * share : a * (1 - share) + b * share
  }

  static func == (a: MetricAggregate, b: MetricAggregate) -> Bool {
    a.firstStep == b.firstStep && a.lastStep == b.lastStep && a.finite == b.finite
      && a.notFinite == b.notFinite && a.mean == b.mean && a.min?.value == b.min?.value
      && a.min?.step == b.min?.step && a.max?.value == b.max?.value && a.max?.step == b.max?.step
      && a.last.bitPattern == b.last.bitPattern
  }
}
