import Platform

/// Images per second over the steps since it was last read; what happens between steps does not count.
struct ThroughputMeter {
  private var begun: UInt64 = 0
  private var nanoseconds: UInt64 = 0
  private var images = 0

  /// A step begins.
  mutating func start() { begun = SystemClock.monotonicNanoseconds }

  /// A step has ended that took so many images.
  mutating func stop(images count: Int) {
    nanoseconds += SystemClock.monotonicNanoseconds - begun
    images += count
  }

  /// The rate since the last call.
  mutating func take() -> Double {
    defer { (nanoseconds, images) = (0, 0) }
    return nanoseconds == 0 ? 0 : Double(images) * 1e9 / Double(nanoseconds)
  }
}
