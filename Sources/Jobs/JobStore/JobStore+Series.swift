import JobModel
import SQLite

/// One point of a curve.
package struct SeriesPoint: Sendable, Equatable {
  package let step: Int
  package let value: Double

  package init(step: Int, value: Double) {
    self.step = step
    self.value = value
  }
}

extension JobStore {
  /// The curve of each key with at most `points` points a key; lines without the key, or with `null`, have
  /// none.
  package func series(_ id: JobID, keys: [String], points: Int) throws -> [String: [SeriesPoint]] {
    let columns = keys.map { _ in "json_extract(line, ?)" }.joined(separator: ", ")
    let sql = """
      SELECT step, \(columns) FROM events JOIN jobs ON job = jobs.sequence
      WHERE id = ? AND event = 'metric' ORDER BY events.sequence
      """
    var curves = [[SeriesPoint]](repeating: [], count: keys.count)
    try read {
      _ = try $0.rows(sql, keys.map { .text("$.\"\($0)\"") } + [.text(id.text)]) { row in
        let step = row.integer("step")
        for index in keys.indices {
          if let value = row.double(at: index + 1) {
            curves[index].append(SeriesPoint(step: step, value: value))
          }
        }
      }
    }
    let thinned = curves.map { thin($0, to: points) }
    return Dictionary(zip(keys, thinned), uniquingKeysWith: { first, _ in first })
  }
}

/// Thins a curve of rising steps to at most `limit` points, and keeps its first and last point and the lowest
/// and highest of each bucket.
///
/// Buckets are `2^k` steps wide and begin at multiples of that, so a curve that grows keeps the points it had
/// until the width doubles: charts do not flicker between refreshes.
func thin(_ points: [SeriesPoint], to limit: Int) -> [SeriesPoint] {
  precondition(limit >= 4, "A thinned curve has room for two ends and one bucket.")
  guard points.count > limit, let first = points.first, let last = points.last else { return points }
  var width = 1
  while 2 * (last.step / width - first.step / width + 1) + 2 > limit { width *= 2 }
  var kept: [SeriesPoint] = [first]
  var start = 1
  let end = points.count - 1
  while start < end {
    let bucket = points[start].step / width
    var low = start
    var high = start
    var next = start
    while next < end, points[next].step / width == bucket {
      if points[next].value < points[low].value { low = next }
      if points[next].value > points[high].value { high = next }
      next += 1
    }
    kept.append(points[min(low, high)])
    if low != high { kept.append(points[max(low, high)]) }
    start = next
  }
  kept.append(last)
  return kept
}
