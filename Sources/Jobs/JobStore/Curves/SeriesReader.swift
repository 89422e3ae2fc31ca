/// Sorts the values of one job's metrics into equal buckets of steps: all of them, or those of a range.
struct SeriesReader {
  /// Where the values are read.
  let pyramid: MetricPyramid
  /// The chunks that have lines of the range.
  let chunks: Range<Int>
  /// Chunks of the job.
  let chunkCount: Int
  /// The lines after the last chunk.
  let tail: MetricColumns
  /// `log2` of the width of a bucket.
  private let widthBits: Int
  /// The number of the first bucket: steps divided by the width, rounded down.
  private let firstBucket: Int
  private let bucketCount: Int
  /// The steps of each chunk that has been opened: every metric needs them.
  private let openedSteps = OpenedSteps()

  /// Nodes for each bucket from which on a level is fine enough to begin with: most of its nodes lie in one
  /// bucket then, and few have to be opened.
  private static let nodesPerBucket = 8

  /// Steps of a bucket.
  var width: UInt { 1 << UInt(widthBits) }

  /// The steps of all buckets; `nil` without any.
  var steps: ClosedRange<Int>? {
    if bucketCount == 0 { return nil }
    return (firstBucket << widthBits)...((firstBucket + bucketCount) << widthBits - 1)
  }

  /// The first step of the bucket that a step lies in.
  func start(of step: Int) -> Int { (step >> widthBits) << widthBits }

  /// Chooses the least width that needs no more buckets than `points`.
  ///
  /// - Parameters:
  ///   - range: the steps that are looked at, widened to whole buckets; `nil`: all.
  ///   - keys: the metrics that will be asked for; `nil`: any.
  init(
    _ pyramid: MetricPyramid, points: Int, range: ClosedRange<Int>? = nil, keys: Set<String>? = nil
  ) throws {
    self.pyramid = pyramid
    let packed = try pyramid.packed()
    chunkCount = packed.chunks
    tail = try pyramid.lines(after: packed.lastSequence, keys: keys)
    var (first, last) = (tail.steps.min() ?? .max, tail.steps.max() ?? .min)
    for (level, range) in MetricPyramid.cover(chunks: chunkCount) {
      for node in try pyramid.nodes(MetricPyramid.stepsKey, level: level, range) {
        first = min(first, node.aggregate.firstStep)
        last = max(last, node.aggregate.lastStep)
      }
    }
    if let range { (first, last) = (max(first, range.lowerBound), min(last, range.upperBound)) }
    guard first <= last else {
      (widthBits, firstBucket, bucketCount, chunks) = (0, 0, 0, 0..<0)
      return
    }
    var bits = 0
    // The distance of two integers always fits an unsigned one.
    while UInt(bitPattern: last >> bits &- first >> bits) >= UInt(points) { bits += 1 }
    widthBits = bits
    firstBucket = first >> bits
    bucketCount = last >> bits - firstBucket + 1
    let all = 0..<chunkCount
    chunks =
      range == nil
      ? all : try pyramid.chunks(all, withStepsFrom: firstBucket << bits, to: (last >> bits + 1) << bits - 1)
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

  /// All chunks of the range, by nodes of a level that is about as fine as the buckets.
  private var startingNodes: [(level: Int, nodes: Range<Int>)] {
    var level = 0
    let enough = Self.nodesPerBucket * bucketCount
    while chunks.count >> ((level + 1) * MetricPyramid.fanOutBits) >= enough { level += 1 }
    return MetricPyramid.cover(chunks: chunkCount, upTo: level).compactMap { level, nodes in
      let bits = level * MetricPyramid.fanOutBits
      let wanted = nodes.clamped(to: chunks.lowerBound >> bits..<(chunks.upperBound - 1) >> bits + 1)
      return wanted.isEmpty ? nil : (level, wanted)
    }
  }

  /// Adds what a node comes to if all its values lie in one bucket, else what is below it.
  private func add(
    _ node: MetricPyramid.Node, _ key: String, level: Int, to buckets: inout [MetricAggregate?]
  ) throws {
    let (first, last) = (index(node.aggregate.firstStep), index(node.aggregate.lastStep))
    if last < 0 || first >= bucketCount { return }
    if first == last {
      if buckets[first] == nil {
        buckets[first] = node.aggregate
      } else {
        buckets[first]?.add(node.aggregate)
      }
    } else if level > 0 {
      let first = node.node << MetricPyramid.fanOutBits
      let children = first..<first + 1 << MetricPyramid.fanOutBits
      for child in try pyramid.nodes(key, level: level - 1, children) {
        try add(child, key, level: level - 1, to: &buckets)
      }
    } else if let column = try pyramid.values(key, chunk: node.node) {
      add(column, try openedSteps.of(node.node, pyramid), to: &buckets)
    }
  }

  private func add(_ column: [UInt64], _ steps: [Int], to buckets: inout [MetricAggregate?]) {
    MetricColumns.forEach(column, steps) { step, value in
      let bucket = index(step)
      guard buckets.indices.contains(bucket) else { return }
      if buckets[bucket] == nil {
        buckets[bucket] = MetricAggregate(step: step, value: value)
      } else {
        buckets[bucket]?.add(step: step, value: value)
      }
    }
  }

  private func index(_ step: Int) -> Int { step >> widthBits - firstBucket }
}

/// The steps of chunks, each read once.
private final class OpenedSteps {
  private var known: [Int: [Int]] = [:]

  func of(_ chunk: Int, _ pyramid: MetricPyramid) throws -> [Int] {
    if let steps = known[chunk] { return steps }
    let steps = try pyramid.steps(ofChunk: chunk)
    known[chunk] = steps
    return steps
  }
}
