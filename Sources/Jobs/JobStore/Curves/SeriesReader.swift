/// Sorts the values of one job's metrics into equal buckets of steps.
struct SeriesReader {
  private let pyramid: MetricPyramid
  private let chunks: Int
  private let tail: MetricColumns
  /// `log2` of the width of a bucket.
  private let widthBits: Int
  /// The number of the first bucket: steps divided by the width, rounded down.
  private let firstBucket: Int
  private let bucketCount: Int

  /// Nodes for each bucket from which on a level is fine enough to begin with: most of its nodes lie in one
  /// bucket then, and few have to be opened.
  private static let nodesPerBucket = 8

  /// Steps of a bucket.
  var width: UInt { 1 << UInt(widthBits) }

  /// Chooses the least width that needs no more buckets than `points`.
  init(_ pyramid: MetricPyramid, points: Int) throws {
    self.pyramid = pyramid
    let packed = try pyramid.packed()
    chunks = packed.chunks
    tail = try pyramid.lines(after: packed.lastSequence)
    var (first, last) = (tail.steps.min() ?? .max, tail.steps.max() ?? .min)
    for (level, range) in MetricPyramid.cover(chunks: chunks) {
      for node in try pyramid.nodes(MetricPyramid.stepsKey, level: level, range) {
        first = min(first, node.aggregate.firstStep)
        last = max(last, node.aggregate.lastStep)
      }
    }
    guard first <= last else {
      (widthBits, firstBucket, bucketCount) = (0, 0, 0)
      return
    }
    var bits = 0
    // The distance of two integers always fits an unsigned one.
    while UInt(bitPattern: last >> bits &- first >> bits) >= UInt(points) { bits += 1 }
    widthBits = bits
    firstBucket = first >> bits
    bucketCount = last >> bits - firstBucket + 1
  }

  /// The buckets of one metric that have a value.
  func curve(_ key: String) throws -> [SeriesPoint] {
    if bucketCount == 0 { return [] }
    var buckets = [MetricAggregate?](repeating: nil, count: bucketCount)
    for (level, range) in startingNodes {
      for node in try pyramid.nodes(key, level: level, range) {
        try add(node, key, level: level, to: &buckets)
      }
    }
    if let column = tail.columns[key] { add(column, tail.steps, to: &buckets) }
    return buckets.enumerated().compactMap { index, bucket in
      guard let bucket else { return nil }
      var finite: SeriesPoint.Finite?
      if let min = bucket.min, let max = bucket.max {
        finite = SeriesPoint.Finite(mean: bucket.mean, min: min.value, max: max.value)
      }
      return SeriesPoint(
        step: (firstBucket + index) << widthBits, finite: finite, notFiniteCount: bucket.notFinite)
    }
  }

  /// All chunks, by nodes of a level that is about as fine as the buckets.
  private var startingNodes: [(level: Int, nodes: Range<Int>)] {
    var level = 0
    let enough = Self.nodesPerBucket * bucketCount
    while chunks >> ((level + 1) * MetricPyramid.fanOutBits) >= enough { level += 1 }
    let whole = chunks >> (level * MetricPyramid.fanOutBits)
    let rest = MetricPyramid.cover(chunks: chunks).filter { $0.level < level }
    return [(level, 0..<whole)] + rest
  }

  /// Adds what a node comes to if all its values lie in one bucket, else what is below it.
  private func add(
    _ node: MetricPyramid.Node, _ key: String, level: Int, to buckets: inout [MetricAggregate?]
  ) throws {
    let bucket = index(node.aggregate.firstStep)
    if bucket == index(node.aggregate.lastStep) {
      if buckets[bucket] == nil {
        buckets[bucket] = node.aggregate
      } else {
        buckets[bucket]?.add(node.aggregate)
      }
    } else if level > 0 {
      let first = node.node << MetricPyramid.fanOutBits
      let children = first..<first + 1 << MetricPyramid.fanOutBits
      for child in try pyramid.nodes(key, level: level - 1, children) {
        try add(child, key, level: level - 1, to: &buckets)
      }
    } else if let column = try pyramid.values(key, chunk: node.node) {
      add(column, try pyramid.steps(ofChunk: node.node), to: &buckets)
    }
  }

  private func add(_ column: [UInt64], _ steps: [Int], to buckets: inout [MetricAggregate?]) {
    MetricColumns.forEach(column, steps) { step, value in
      let bucket = index(step)
      if buckets[bucket] == nil {
        buckets[bucket] = MetricAggregate(step: step, value: value)
      } else {
        buckets[bucket]?.add(step: step, value: value)
      }
    }
  }

  private func index(_ step: Int) -> Int { step >> widthBits - firstBucket }
}
