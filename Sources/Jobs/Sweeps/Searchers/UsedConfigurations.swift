import Text

/// Keeps a sweep from asking for a configuration twice.
struct UsedConfigurations {
  let space: SearchSpace
  private var keys: Set<ByteString>

  /// How often a searcher is asked for another configuration before the space is walked through.
  private static let tries = 64

  init(_ space: SearchSpace, _ trials: [Trial]) {
    self.space = space
    keys = Set(trials.map(\.configuration.key))
  }

  /// Whether every configuration has been asked for.
  var isExhausted: Bool { space.size.map { keys.count >= $0 } ?? false }

  /// Adds a configuration.
  mutating func insert(_ configuration: Configuration) { keys.insert(configuration.key) }

  /// Whether a trial has a configuration.
  func contains(_ configuration: Configuration) -> Bool { keys.contains(configuration.key) }

  /// The first configuration that `draw` gives and that is not used; after some tries, any that is not.
  func unused(
    _ random: inout SweepRandom, _ draw: (inout SweepRandom) -> Configuration
  ) -> Configuration? {
    var last: Configuration?
    for _ in 0..<Self.tries {
      let drawn = draw(&random)
      if !contains(drawn) { return drawn }
      last = drawn
    }
    // Only a space with few configurations left gives so many used ones in a row.
    guard let size = space.size else { return last }
    return firstUnused(from: random.below(size))
  }

  /// The first configuration that is not used, from a place on and round; nil: there is none.
  func firstUnused(from place: Int) -> Configuration? {
    guard let size = space.size else { return nil }
    for offset in 0..<min(size, keys.count + 1) {
      let candidate = space.configuration(at: (place % size + offset) % size)
      if !contains(candidate) { return candidate }
    }
    return nil
  }
}
