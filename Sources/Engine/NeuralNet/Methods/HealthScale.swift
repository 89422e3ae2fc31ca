/// The values by which a method's health is judged: what its figures are when it goes well.
package struct HealthScale: Sendable, Equatable {
  /// The standard deviation of an embedding's dimension that is asked for, or that a uniform spread has;
  /// `nil`: the embedding is not judged.
  package var spread: Double?
  /// The least value that the loss can have: growth is measured from there.
  package var lossMin: Double
  /// An effective rank below this share of what is possible is a collapse.
  package var rankCollapsed: Double
  /// An effective rank below this share is low: a collapse where dimensions repeat each other.
  package var rankLow: Double

  /// The standard is that of methods which decorrelate the dimensions.
  package init(
    spread: Double?, lossMin: Double = 0, rankCollapsed: Double = 0.06, rankLow: Double = 0.15
  ) {
    self.spread = spread
    self.lossMin = lossMin
    self.rankCollapsed = rankCollapsed
    self.rankLow = rankLow
  }

  /// Of methods whose loss sees only directions: rows that are spread evenly over the unit sphere have a
  /// deviation of 1/√d in each dimension. They leave dimensions unused that others fill, so less rank is
  /// asked for.
  package static func unitRows(dimension: Int, lossMin: Double = 0, decorrelates: Bool = false) -> HealthScale
  {
    HealthScale(
      spread: 1 / Double(dimension).squareRoot(), lossMin: lossMin,
      rankCollapsed: decorrelates ? 0.06 : 0.015,
      rankLow: decorrelates ? 0.15 : 0.04)
  }
}
