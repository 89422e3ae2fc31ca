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
      WHERE id = ? AND event = 'metric' AND step BETWEEN 0 AND \(RecordedRange.countMax)
      ORDER BY events.sequence
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

/// Thins a curve to at most `limit` points, and keeps its first and last point and the lowest and highest of
/// each bucket. The points are put into the order of their steps.
///
/// Buckets are `2^k` steps wide and begin at multiples of that, so a curve that grows keeps the points it had
/// until the width doubles: charts do not flicker between refreshes.
func thin(_ curve: [SeriesPoint], to limit: Int) -> [SeriesPoint] {
  precondition(limit >= 4, "A thinned curve has room for two ends and one bucket.")
  guard curve.count > limit else { return curve }
  let isRising = zip(curve, curve.dropFirst()).allSatisfy { $0.step <= $1.step }
  let points = isRising ? curve : curve.sorted { $0.step < $1.step }
  guard let first = points.first, let last = points.last else { return points }
  let bucketsMax = UInt((limit - 2) / 2)
  // A shift rounds down for every number, and the difference of two is right without a sign: no step
  // overflows. At 63 bits all steps of one sign are in one bucket.
  var bits = 0
  while bits < 63, UInt(bitPattern: (last.step >> bits) &- (first.step >> bits)) >= bucketsMax { bits += 1 }
  var kept: [SeriesPoint] = [first]
  var start = 1
  let end = points.count - 1
  while start < end {
    let bucket = points[start].step >> bits
    var low = start
    var high = start
    var next = start
    while next < end, points[next].step >> bits == bucket {
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
