/// Metric lines of one job as columns, in the order of the lines.
struct MetricColumns: Sendable {
  private(set) var steps: [Int] = []
  /// The sequence in `events` of the last line; 0 without lines.
  private(set) var lastSequence = 0
  /// By metric; as long as `steps`.
  private(set) var columns: [String: [UInt64]] = [:]
  /// The metrics that are taken; `nil`: all.
  private let keys: MetricScanner.Keys?

  /// - Parameter keys: the metrics that are taken; `nil`: all.
  init(keys: Set<String>? = nil) { self.keys = keys.map(MetricScanner.Keys.init) }

  /// A line that has not this metric; another NaN than `notFinite`.
  static let absent = Double(nan: 1, signaling: false).bitPattern
  /// A value that is not finite.
  static let notFinite = Double.nan.bitPattern
  /// Metrics of one chunk; lines that have more keep their others in `events` alone.
  static let keysMax = 256

  /// Adds the next line.
  mutating func add(sequence: Int, step: Int, line: String) {
    let row = steps.count
    steps.append(step)
    lastSequence = sequence
    MetricScanner.numbers(of: line, keys) { key, value in
      let word = value.isFinite ? value.bitPattern : Self.notFinite
      // The usual case first: looking a name up costs less than judging it.
      if columns[key]?.count == row { columns[key]?.append(word) } else { begin(key, row, word) }
    }
    for (key, column) in columns where column.count == row { columns[key]?.append(Self.absent) }
  }

  private mutating func begin(_ key: String, _ row: Int, _ word: UInt64) {
    // A line has each name once; of those that an odd worker repeats, the first counts.
    guard columns[key] == nil, columns.count < Self.keysMax, MetricScanner.isMetric(key) else { return }
    columns[key] = [UInt64](repeating: Self.absent, count: row) + [word]
  }

  /// Calls `body` with step and value of each line that has the metric.
  static func forEach(_ column: [UInt64], _ steps: [Int], _ body: (Int, Double) -> Void) {
    for (step, word) in zip(steps, column) where word != absent { body(step, Double(bitPattern: word)) }
  }

  /// What a column comes to; `nil` if no line has the metric.
  static func aggregate(_ column: [UInt64], _ steps: [Int]) -> MetricAggregate? {
    var aggregate: MetricAggregate?
    forEach(column, steps) { step, value in
      if aggregate == nil {
        aggregate = MetricAggregate(step: step, value: value)
      } else {
        aggregate?.add(step: step, value: value)
      }
    }
    return aggregate
  }
}
