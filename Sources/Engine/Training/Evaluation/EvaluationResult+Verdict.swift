extension EvaluationResult {
  /// Whether the trained encoder beats each baseline beyond the interval, for people.
  package var verdict: String {
    let sentences = [(EvaluationSubject.rawPixels, "raw pixels"), (.untrained, "the untrained encoder")]
      .compactMap { baseline, name in lead(over: baseline).map { Self.sentence($0, name) } }
    if sentences.isEmpty { return "Not compared with any baseline." }
    return sentences.joined(separator: " ")
  }

  private static func sentence(_ lead: PairedDifference, _ baseline: String) -> String {
    let interval = "95% interval \(points(lead.interval.low)) to \(points(lead.interval.high))"
    if lead.isBeyond { return "Beats \(baseline) by \(points(lead.mean)) points (\(interval))." }
    if lead.interval.high < 0 {
      return "Does not beat \(baseline): it is worse by \(points(-lead.mean)) points (difference "
        + "\(points(lead.mean)), \(interval))."
    }
    return "Does not beat \(baseline) beyond the 95% interval: the difference is \(points(lead.mean)) points "
      + "(\(interval))."
  }

  /// A share in percentage points with one decimal.
  private static func points(_ share: Double) -> String {
    let rounded = (share * 1000).rounded() / 10
    return "\(rounded == 0 ? 0 : rounded)"
  }
}
