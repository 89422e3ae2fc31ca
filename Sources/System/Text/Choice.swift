extension RawRepresentable<String> where Self: CaseIterable {
  /// The case whose raw value has exactly these bytes; nil if there is none. `init(rawValue:)` would compare
  /// by canonical equivalence.
  package init?(bytes text: ByteString) {
    guard let choice = Self.allCases.first(where: { ByteString($0.rawValue) == text }) else { return nil }
    self = choice
  }
}
