import Text

/// Finds the route that somebody may have meant whose path has none.
struct PathSuggestion: Sendable {
  /// The segments of each route's pattern.
  let patterns: [[ByteString]]

  /// Paths of more segments are near to no route.
  private static let segmentsMax = 16

  /// The path of the nearest route, with the parameters of the path that was asked for; nil if none is near.
  ///
  /// Near is a pattern whose literal segments all are near words, or one that is what follows some segments
  /// too many: `/jbos` and `/api/v1/jobs` mean `/jobs`.
  func path(for segments: [ByteString]) -> String? {
    var segments = segments[...]
    if segments.last == "" { segments = segments.dropLast() }
    guard (1...Self.segmentsMax).contains(segments.count), segments.allSatisfy({ !$0.isEmpty }) else {
      return nil
    }
    var best: (path: String, equal: Int)?
    for pattern in patterns where pattern.count == segments.count {
      guard let equal = equalCount(pattern, segments), equal >= best?.equal ?? 0 else { continue }
      if best == nil || equal > best?.equal ?? 0 { best = (Self.path(pattern, segments), equal) }
    }
    if let best { return best.path }
    for start in segments.indices.dropFirst() {
      let rest = segments[start...]
      let isRoute = patterns.contains { $0.count == rest.count && equalCount($0, rest) == rest.count }
      if isRoute { return "/\(rest.joined(separator: "/").shown)" }
    }
    return nil
  }

  /// How many segments are as the pattern has them, its parameters included; nil if one is not even near.
  private func equalCount(_ pattern: [ByteString], _ segments: ArraySlice<ByteString>) -> Int? {
    var count = 0
    for (part, segment) in zip(pattern, segments) {
      if part == segment || Self.isParameter(part) {
        count += 1
      } else if nearestWord(to: segment.lowercasedASCII, in: [part]) == nil {
        return nil
      }
    }
    return count
  }

  private static func path(_ pattern: [ByteString], _ segments: ArraySlice<ByteString>) -> String {
    zip(pattern, segments).map { "/\(isParameter($0) ? $1.shown : $0.string)" }.joined()
  }

  private static func isParameter(_ part: ByteString) -> Bool { part.hasPrefix("{") }
}
