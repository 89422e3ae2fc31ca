import JSONText
import Recipe
import SQLite

/// What each metric of a job has come to: last value, mean of the last tenth of its lines, extremes, and the
/// step of the best.
///
/// It is made at each ingestion from the nodes of the pyramid (at most some dozens a metric, however long the
/// run is), the tail, and one chunk of values, so that a list of jobs costs nothing for it.
enum MetricSummary {
  /// As a JSON object; `nil`: there are no metric lines, or more of them in the tail than are looked at here.
  static func text(of pyramid: MetricPyramid) throws -> String? {
    let (chunks, sequence) = try pyramid.packed()
    let tail = try pyramid.lines(after: sequence, limit: MetricPyramid.chunkLines)
    if tail.steps.count == MetricPyramid.chunkLines { return nil }
    let keys = Set(try pyramid.keys()).union(tail.columns.keys).sorted()
    if keys.isEmpty { return nil }
    let members = try keys.map { key in
      "\(JSON.string(key).text):\(try text(of: key, pyramid, chunks: chunks, tail))"
    }
    return "{\(members.joined(separator: ","))}"
  }

  private static func text(
    of key: String, _ pyramid: MetricPyramid, chunks: Int, _ tail: MetricColumns
  ) throws -> String {
    var nodes: [(level: Int, node: MetricPyramid.Node)] = []
    for (level, range) in MetricPyramid.cover(chunks: chunks) {
      nodes += try pyramid.nodes(key, level: level, range).map { (level, $0) }
    }
    let rest = tail.columns[key].flatMap { MetricColumns.aggregate($0, tail.steps) }
    var all = MetricPyramid.sum(nodes.map(\.node))
    if let rest { if all == nil { all = rest } else { all?.add(rest) } }
    guard let all else { return "null" }
    let best = isHighestBest(key) ? all.max?.step : all.min?.step
    let mean = try meanOfLast((all.finite + 9) / 10, key, nodes, pyramid, tail)
    func number(_ value: Double?) -> String { value.map { JSON.number($0).text } ?? "null" }
    return """
      {"last":\(number(all.last)),"mean":\(number(mean)),"min":\(number(all.min?.value)),\
      "max":\(number(all.max?.value)),"best_step":\(best.map(String.init) ?? "null")}
      """
  }

  /// Accuracies of evaluations have `top1` or `top5` in their names.
  static func isHighestBest(_ key: String) -> Bool {
    Metric.highestBest.contains(key) || key.contains("top1") || key.contains("top5")
  }

  /// The mean of the last finite values; `nil` without any.
  private static func meanOfLast(
    _ count: Int, _ key: String, _ nodes: [(level: Int, node: MetricPyramid.Node)],
    _ pyramid: MetricPyramid, _ tail: MetricColumns
  ) throws -> Double? {
    if count == 0 { return nil }
    var window: MetricAggregate?
    // From the end on: what fits in as a whole goes in as a whole, the rest is opened.
    func take(_ column: [UInt64], _ steps: [Int]) {
      MetricColumns.forEach(Array(column.reversed()), steps.reversed()) { step, value in
        if !value.isFinite || (window?.finite ?? 0) == count { return }
        if window == nil {
          window = MetricAggregate(step: step, value: value)
        } else {
          window?.add(step: step, value: value)
        }
      }
    }
    if let column = tail.columns[key] { take(column, tail.steps) }
    var open = nodes
    while (window?.finite ?? 0) < count, let (level, node) = open.popLast() {
      if (window?.finite ?? 0) + node.aggregate.finite <= count {
        if window == nil { window = node.aggregate } else { window?.add(node.aggregate) }
      } else if level > 0 {
        let first = node.node << MetricPyramid.fanOutBits
        let range = first..<first + 1 << MetricPyramid.fanOutBits
        open += try pyramid.nodes(key, level: level - 1, range).map { (level - 1, $0) }
      } else if let column = try pyramid.values(key, chunk: node.node) {
        take(column, try pyramid.steps(ofChunk: node.node))
      }
    }
    return window?.mean
  }
}
