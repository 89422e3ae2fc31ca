import JobModel
import SQLite

/// The metrics of one job in the database: chunks of lines as columns, and above them nodes of what they come
/// to.
///
/// What is packed is always the beginning of the job's metric lines; those after it, the tail, stand in
/// `events` alone. Everything here happens in the transaction of whoever calls, so lines and nodes never
/// disagree.
struct MetricPyramid {
  let job: Int
  let connection: Connection

  /// Lines of a chunk.
  static let chunkLines = 256
  /// `log2` of the nodes that one of the level above covers.
  static let fanOutBits = 4
  /// The name under which the steps of the lines stand.
  static let stepsKey = ""

  /// A node as it is stored.
  struct Node {
    let node: Int
    let lastSequence: Int
    let aggregate: MetricAggregate
  }

  /// Chunks that there are, and the sequence in `events` of the last line in them.
  func packed() throws -> (chunks: Int, lastSequence: Int) {
    try connection.first(
      """
      SELECT node, last_sequence FROM metric_nodes WHERE job = ? AND key = '' AND level = 0
      ORDER BY node DESC LIMIT 1
      """, [.integer(job)]
    ) { ($0.integer("node") + 1, $0.integer("last_sequence")) } ?? (0, 0)
  }

  /// Whether a row of `events` has numbers of curves, at a step that a run can have, as SQL.
  static let hasNumbers =
    "event IN ('metric', 'evaluation') AND step BETWEEN 0 AND \(RecordedRange.countMax)"

  /// The first lines after a place, at most `limit`. Rows from before steps had a `RecordedRange` are left
  /// out if they lie outside.
  ///
  /// - Parameter keys: the metrics that are wanted; `nil`: all.
  func lines(
    after sequence: Int, limit: Int = .max, keys: Set<String>? = nil
  ) throws -> MetricColumns {
    var columns = MetricColumns(keys: keys)
    _ = try connection.rows(
      """
      SELECT sequence, step, line FROM events
      WHERE job = ? AND sequence > ? AND \(Self.hasNumbers)
      ORDER BY sequence LIMIT ?
      """, [.integer(job), .integer(sequence), .integer(limit)]
    ) { columns.add(sequence: $0.integer("sequence"), step: $0.integer("step"), line: $0.text("line")) }
    return columns
  }

  /// Packs whole chunks of the tail.
  ///
  /// - Parameter limit: chunks at most.
  /// - Returns: whether less than a chunk is left in the tail.
  @discardableResult
  func pack(limit: Int) throws -> Bool {
    var (chunk, sequence) = try packed()
    for _ in 0..<limit {
      guard let end = try lastOfChunk(after: sequence) else { return true }
      try store(lines(after: sequence, limit: Self.chunkLines), chunk: chunk)
      (chunk, sequence) = (chunk + 1, end)
    }
    return try lastOfChunk(after: sequence) == nil
  }

  /// As `pack`, and writes the job's `summary` anew.
  func packAndSummarize(limit: Int) throws {
    try pack(limit: limit)
    try connection.execute(
      """
      UPDATE jobs SET summary = ?1, loss = CAST(?1 ->> '$.loss.last' AS REAL),
        rankme = CAST(?1 ->> '$.rankme.last' AS REAL) WHERE sequence = ?2
      """, [.optional(MetricSummary.text(of: self)), .integer(job)])
  }

  /// The sequence of the last line of the chunk that comes next, if there are so many lines.
  private func lastOfChunk(after sequence: Int) throws -> Int? {
    try connection.first(
      """
      SELECT sequence FROM events
      WHERE job = ? AND sequence > ? AND \(Self.hasNumbers)
      ORDER BY sequence LIMIT 1 OFFSET ?
      """, [.integer(job), .integer(sequence), .integer(Self.chunkLines - 1)]
    ) { $0.integer("sequence") }
  }

  private func store(_ columns: MetricColumns, chunk: Int) throws {
    let steps = columns.steps.map { UInt64(bitPattern: Int64($0)) }
    var all = columns.columns
    all[Self.stepsKey] = steps
    for (key, words) in all {
      let isSteps = key == Self.stepsKey
      let numbers = isSteps ? columns.steps.map { Double($0).bitPattern } : words
      guard let aggregate = MetricColumns.aggregate(numbers, columns.steps) else { continue }
      try connection.execute(
        "INSERT INTO metric_values (job, key, chunk, numbers) VALUES (?, ?, ?, ?)",
        [.integer(job), .text(key), .integer(chunk), .words(words)])
      try insert(Node(node: chunk, lastSequence: columns.lastSequence, aggregate: aggregate), key, level: 0)
    }
    try raise(chunk, last: columns.lastSequence)
  }

  /// Writes the nodes above a chunk that it completes.
  private func raise(_ chunk: Int, last: Int) throws {
    var (level, node) = (1, chunk + 1)
    let mask = (1 << Self.fanOutBits) - 1
    while node & mask == 0 {
      node >>= Self.fanOutBits
      let children = (node - 1) << Self.fanOutBits..<node << Self.fanOutBits
      for key in try keys() + [Self.stepsKey] {
        guard let sum = Self.sum(try nodes(key, level: level - 1, children)) else { continue }
        try insert(Node(node: node - 1, lastSequence: last, aggregate: sum), key, level: level)
      }
      level += 1
    }
  }

  /// Forgets the chunks from the first on that has a line beyond a step; what is left of them is in the tail
  /// again.
  func discard(beyond step: Int) throws {
    let first = try connection.first(
      """
      SELECT min(node) AS node FROM metric_nodes WHERE job = ? AND key = '' AND level = 0 AND last_step > ?
      """, [.integer(job), .integer(step)]
    ) { $0.optionalInteger("node") }
    guard let first, let first else { return }
    try connection.execute(
      "DELETE FROM metric_values WHERE job = ? AND chunk >= ?", [.integer(job), .integer(first)])
    try connection.execute(
      "DELETE FROM metric_nodes WHERE job = ? AND node >= ? >> (level * ?)",
      [.integer(job), .integer(first), .integer(Self.fanOutBits)])
  }

  /// The metrics that are packed, in alphabetical order.
  func keys() throws -> [String] {
    // Each name is looked for behind the one before: a plain DISTINCT would go over every node.
    try connection.rows(
      """
      WITH RECURSIVE known (key) AS (
        SELECT min(key) FROM metric_nodes WHERE job = ?1 AND key > ''
        UNION ALL
        SELECT (SELECT min(key) FROM metric_nodes WHERE job = ?1 AND metric_nodes.key > known.key)
        FROM known WHERE known.key IS NOT NULL)
      SELECT key FROM known WHERE key IS NOT NULL
      """, [.integer(job)]
    ) { $0.text("key") }
  }

  /// The numbers of a metric in a chunk; `nil` if none of its lines has it.
  func values(_ key: String, chunk: Int) throws -> [UInt64]? {
    try connection.first(
      "SELECT numbers FROM metric_values WHERE job = ? AND key = ? AND chunk = ?",
      [.integer(job), .text(key), .integer(chunk)]
    ) { $0.words("numbers") }
  }

  /// The steps of the lines of a chunk.
  func steps(ofChunk chunk: Int) throws -> [Int] {
    try values(Self.stepsKey, chunk: chunk)?.map { Int(Int64(bitPattern: $0)) } ?? []
  }

  /// The nodes of a metric in part of a level, in their order; those without a value are not there.
  func nodes(_ key: String, level: Int, _ range: Range<Int>) throws -> [Node] {
    try connection.rows(
      """
      SELECT node, last_sequence, first_step, last_step, finite, not_finite, mean, min, min_step, max,
        max_step, last FROM metric_nodes
      WHERE job = ? AND key = ? AND level = ? AND node >= ? AND node < ? ORDER BY node
      """,
      [.integer(job), .text(key), .integer(level), .integer(range.lowerBound), .integer(range.upperBound)],
      Node.init)
  }

  /// The chunks that may have steps of a range, by the nodes above them.
  func chunks(_ all: Range<Int>, withStepsFrom first: Int, to last: Int) throws -> Range<Int> {
    var open = Self.cover(chunks: all.count).map { (level: $0.level, nodes: $0.nodes) }
    var found: Range<Int>?
    while let (level, range) = open.popLast() {
      // Steps rise with the lines: whatever lies between two chunks of the range is in it too.
      let hits = try nodes(Self.stepsKey, level: level, range).filter {
        $0.aggregate.lastStep >= first && $0.aggregate.firstStep <= last
      }
      for node in [hits.first, hits.last].compactMap(\.self) {
        if level > 0 {
          let child = node.node << Self.fanOutBits
          open.append((level - 1, child..<child + 1 << Self.fanOutBits))
        } else {
          let known = found ?? node.node..<node.node + 1
          found = min(known.lowerBound, node.node)..<max(known.upperBound, node.node + 1)
        }
      }
    }
    return found ?? 0..<0
  }

  /// The fewest ranges of nodes that cover the first chunks, highest level first and in the order of the
  /// lines.
  ///
  /// - Parameter highest: the highest level that is used.
  static func cover(chunks: Int, upTo highest: Int = .max) -> [(level: Int, nodes: Range<Int>)] {
    var ranges: [(level: Int, nodes: Range<Int>)] = []
    var level = 0
    while level < highest, chunks >> ((level + 1) * fanOutBits) > 0 { level += 1 }
    var done = 0
    for level in (0...level).reversed() {
      let end = chunks >> (level * fanOutBits)
      if end > done { ranges.append((level, done..<end)) }
      done = end << fanOutBits
    }
    return ranges
  }

  /// What nodes come to together.
  static func sum(_ nodes: [Node]) -> MetricAggregate? {
    guard var sum = nodes.first?.aggregate else { return nil }
    for node in nodes.dropFirst() { sum.add(node.aggregate) }
    return sum
  }

  private func insert(_ node: Node, _ key: String, level: Int) throws {
    let aggregate = node.aggregate
    func real(_ value: Double?) -> Value { value.map { $0.isFinite ? .real($0) : .null } ?? .null }
    try connection.execute(
      """
      INSERT INTO metric_nodes (job, key, level, node, last_sequence, first_step, last_step, finite,
        not_finite, mean, min, min_step, max, max_step, last)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .integer(job), .text(key), .integer(level), .integer(node.node), .integer(node.lastSequence),
        .integer(aggregate.firstStep), .integer(aggregate.lastStep), .integer(aggregate.finite),
        .integer(aggregate.notFinite), real(aggregate.finite > 0 ? aggregate.mean : nil),
        real(aggregate.min?.value), .optional(aggregate.min?.step), real(aggregate.max?.value),
        .optional(aggregate.max?.step), real(aggregate.last),
      ])
  }
}

extension MetricPyramid.Node {
  /// Reads a row that has every column but `job`, `key` and `level`.
  init(_ row: Row) {
    node = row.integer("node")
    lastSequence = row.integer("last_sequence")
    let steps = (first: row.integer("first_step"), last: row.integer("last_step"))
    let (finite, notFinite) = (row.integer("finite"), row.integer("not_finite"))
    let mean = row.optionalReal("mean") ?? 0
    func extreme(_ name: String) -> (value: Double, step: Int)? {
      guard let value = row.optionalReal(name), let step = row.optionalInteger("\(name)_step") else {
        return nil
      }
      return (value, step)
    }
    aggregate = MetricAggregate(
      steps: steps.first...steps.last, finite: finite, notFinite: notFinite, mean: mean,
      min: extreme("min"), max: extreme("max"), last: row.optionalReal("last") ?? .nan)
  }
}
