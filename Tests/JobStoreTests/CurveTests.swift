import JSONText
import JobModel
import Platform
import SQLite
import Testing
import Text

@testable import JobStore

@Suite struct `Curves of a job` {
  private let fixture: StoreFixture
  private var store: JobStore { fixture.store }
  private let job: JobRecord

  init() throws {
    fixture = try StoreFixture()
    try fixture.train()
    job = try fixture.claim()
  }

  /// A value that is hard to average by chance.
  private static func value(_ index: Int) -> Double { Double((index * 7919) % 1009) / 7 }

  private static func line(_ step: Int, _ members: String) -> String {
    "{\"event\":\"metric\",\"step\":\(step),\"epoch\":0,\"time\":\"t\"\(members)}"
  }

  private func ingest(_ lines: [String], attempt: Int = 1) throws {
    let start = try fixture.job(job.id).ingestOffset
    let outcome = try store.ingest(
      job.id, attempt: attempt, from: start, to: start + lines.reduce(0) { $0 + $1.utf8.count + 1 },
      lines: lines)
    #expect(outcome == .recorded(malformed: 0))
  }

  private func curve(_ key: String = "loss", points: Int) throws -> [SeriesPoint] {
    try store.packMetrics(job.id)
    return try #require(try store.series(job.id, keys: [key], points: points).curves[key])
  }

  /// The buckets as they follow from the lines, computed without anything of the program's.
  private func expected(_ lines: [(step: Int, value: Double)], width: Int) -> [SeriesPoint] {
    let buckets = Dictionary(grouping: lines) { Int((Double($0.step) / Double(width)).rounded(.down)) }
    return buckets.sorted { $0.key < $1.key }.map { bucket, lines in
      let finite = lines.map(\.value).filter(\.isFinite)
      var point: SeriesPoint.Finite?
      if let min = finite.min(), let max = finite.max() {
        point = .init(mean: finite.reduce(0, +) / Double(finite.count), min: min, max: max)
      }
      return SeriesPoint(
        step: bucket * width, finite: point, notFiniteCount: lines.count - finite.count)
    }
  }

  private func expectSame(_ a: [SeriesPoint], _ b: [SeriesPoint], _ comment: Comment) {
    #expect(a.map(\.step) == b.map(\.step), comment)
    #expect(a.map(\.notFiniteCount) == b.map(\.notFiniteCount), comment)
    for (a, b) in zip(a, b) {
      #expect(a.finite?.min == b.finite?.min && a.finite?.max == b.finite?.max, comment)
      let (x, y) = (a.finite?.mean ?? -1, b.finite?.mean ?? -1)
      #expect(abs(x - y) <= 1e-12 * max(abs(x), abs(y)), "\(comment): \(x) and \(y)")
    }
  }

  @Test(arguments: [1, 3, 10])
  func `means, extremes and counts are those of all lines, at every resolution`(stride: Int) throws {
    // More than 16 chunks, so that two levels of nodes are there, and a tail.
    let lines = (1...4_500).map { (step: $0 * stride, value: $0 % 97 == 0 ? .nan : Self.value($0)) }
    for start in Swift.stride(from: 0, to: lines.count, by: 700) {
      try ingest(
        lines[start..<min(start + 700, lines.count)].map {
          Self.line($0.step, ",\"loss\":\($0.value.isFinite ? "\($0.value)" : "null")")
        })
    }
    for points in [2, 4, 5, 17, 100, 1_000, 5_000, 100_000] {
      try store.packMetrics(job.id)
      let series = try store.series(job.id, keys: ["loss"], points: points)
      let curve = try #require(series.curves["loss"])
      #expect(curve.count <= points)
      #expect(series.width.nonzeroBitCount == 1)
      // No narrower buckets would have been few enough.
      let half = max(1, Int(series.width) / 2)
      let (first, last) = (lines[0].step, lines[lines.count - 1].step)
      #expect(series.width == 1 || last / half - first / half + 1 > points)
      expectSame(curve, expected(lines, width: Int(series.width)), "\(points) points")
    }
  }

  @Test func `a run that goes on changes its last buckets only`() throws {
    try ingest((1...1_000).map { Self.line($0, ",\"loss\":\(Self.value($0))") })
    let before = try curve(points: 200)
    try ingest((1_001...1_010).map { Self.line($0, ",\"loss\":\(Self.value($0))") })
    let after = try curve(points: 200)
    #expect(Array(after.prefix(before.count - 1)) == Array(before.dropLast()))
  }

  @Test func `a bucket of values that are not finite has none, and says how many there were`() throws {
    try ingest([
      Self.line(1, ",\"loss\":null"), Self.line(2, ",\"loss\":null"), Self.line(9, ",\"loss\":3,\"inv\":1"),
    ])
    #expect(
      try curve(points: 2) == [
        SeriesPoint(step: 0, finite: nil, notFiniteCount: 2),
        SeriesPoint(step: 8, finite: .init(mean: 3, min: 3, max: 3)),
      ])
    #expect(try curve("inv", points: 2).map(\.step) == [8])
    #expect(try store.metricKeys(job.id) == ["inv", "loss"])
  }

  @Test func `any steps and any values fit`() throws {
    let last = RecordedRange.steps.upperBound
    try ingest([0, 1, last - 1, last].map { Self.line($0, ",\"loss\":\($0 < 2 ? "-1.7e308" : "1.7e308")") })
    let (low, high) = (-1.7e308, 1.7e308)
    #expect(
      try curve(points: 4).map(\.finite) == [
        .init(mean: low, min: low, max: low), .init(mean: high, min: high, max: high),
        .init(mean: high, min: high, max: high),
      ])
    #expect(try curve(points: 4).map(\.step) == [0, last / 2, last])
    #expect(try curve(points: 2).map(\.step) == [0, last])
  }

  @Test func `metrics that come and go, odd names and odd lines are no trouble`() throws {
    let odd = ##","a b":1,"x":"1","y":true,"z":[1],"loss":2,"\u00e9":3,"quote\"d":4"##
    try ingest(
      (1...600).map { step in
        switch step {
        case 300: Self.line(step, odd)
        case 301: "{ \"event\" : \"metric\" , \"step\" : 301 , \"loss\" : 1e0 }"
        default: Self.line(step, step < 100 ? ",\"inv\":\(step)" : ",\"loss\":\(step),\"inv\":-0.0")
        }
      })
    #expect(try store.metricKeys(job.id) == ["inv", "loss"])
    let loss = try curve(points: 1_000)
    #expect(loss.map(\.step) == Array(100...600))
    #expect(loss[200].finite?.mean == 2 && loss[201].finite?.mean == 1)
    #expect(try curve("inv", points: 1_000).count == 598)
  }

  @Test(arguments: [0, 1, 255, 256, 257, 1_000, 4_095, 4_096, 4_097, 4_999, 5_000])
  func `what a resume replaces leaves the curves, and what comes then is in them`(step: Int) throws {
    try ingest(["{\"event\":\"started\",\"step\":0}"])
    try ingest((1...5_000).map { Self.line($0, ",\"loss\":\(Self.value($0))") })
    try store.settle(job.id, attempt: 1, .died, crashLimit: 9)
    #expect(try fixture.claim().attempt == 2)
    try ingest(["{\"event\":\"started\",\"step\":\(step)}"], attempt: 2)
    let left = (1...5_000).prefix(step).map { (step: $0, value: Self.value($0)) }
    expectSame(try curve(points: 5_000), expected(left, width: 1), "after the resume")
    try ingest(((step + 1)...(step + 900)).map { Self.line($0, ",\"loss\":7") }, attempt: 2)
    let all = left + ((step + 1)...(step + 900)).map { (step: $0, value: 7) }
    for points in [3, 40, 10_000] {
      try store.packMetrics(job.id)
      let series = try store.series(job.id, keys: ["loss"], points: points)
      expectSame(
        try #require(series.curves["loss"]), expected(all, width: Int(series.width)), "\(points) points")
    }
    let last = try #require(fixture.job(job.id).summary.map { try JSON.parse($0) })
    #expect(last["loss"]?["last"] == 7)
  }

  @Test(arguments: [3, 300])
  func `evaluations have curves and a summary among those of the steps, and a resume replaces them`(
    epochs: Int
  ) throws {
    func lines(_ epoch: Int, top1: Int) -> [String] {
      let evaluation = Self.line(epoch * 2, ",\"knn_top1\":\(top1),\"holdout_loss\":\(-top1)")
        .replacing("metric", with: "evaluation")
      return [Self.line(epoch * 2 - 1, ",\"loss\":1"), Self.line(epoch * 2, ",\"loss\":2"), evaluation]
    }
    try ingest(["{\"event\":\"started\",\"step\":0}"] + (1...epochs).flatMap { lines($0, top1: $0) })
    #expect(try store.metricKeys(job.id) == ["holdout_loss", "knn_top1", "loss"])
    try store.settle(job.id, attempt: 1, .died, crashLimit: 9)
    #expect(try fixture.claim().attempt == 2)
    try ingest(["{\"event\":\"started\",\"step\":4}"] + lines(3, top1: 9), attempt: 2)
    let curve = try curve("knn_top1", points: 1_000)
    #expect(curve.map(\.step) == [2, 4, 6])
    #expect(curve.map(\.finite?.mean) == [1, 2, 9])
    let summary = try #require(fixture.job(job.id).summary.map { try JSON.parse($0) })
    #expect(summary["knn_top1"] == ["last": 9, "mean": 9, "min": 1, "max": 9, "best_step": 6])
    #expect(summary["holdout_loss"]?["best_step"] == 6)
    #expect(summary["loss"]?["last"] == 2)
    // The newest line of a step stays the latest.
    #expect(try fixture.job(job.id).latest == Self.line(6, ",\"loss\":2"))
    let bad = "{\"event\":\"evaluation\",\"knn_top1\":1}"
    let start = try fixture.job(job.id).ingestOffset
    #expect(
      try store.ingest(job.id, attempt: 2, from: start, to: start + 9, lines: [bad])
        == .recorded(malformed: 1))
  }

  @Test func `columns and lines are written together or not at all`() throws {
    let connection = try Connection(path: fixture.path, access: .write)
    try connection.script(
      """
      CREATE TRIGGER cut BEFORE INSERT ON metric_nodes WHEN NEW.node = 3
      BEGIN SELECT RAISE(ABORT, 'cut'); END
      """)
    let lines = (1...1_024).map { Self.line($0, ",\"loss\":\(Self.value($0))") }
    #expect(throws: SQLiteError.self) { try ingest(lines) }
    #expect(try curve(points: 100).isEmpty)
    #expect(try fixture.job(job.id) == job)
    try connection.script("DROP TRIGGER cut")
    try ingest(lines)
    #expect(try curve(points: 1_025).count == 1_024)
  }

  @Test func `lines that come faster than they are packed are packed by what follows`() throws {
    let connection = try Connection(path: fixture.path, access: .write)
    func nodes() throws -> Int? {
      try connection.first("SELECT count(*) AS n FROM metric_nodes WHERE key = 'loss'") { $0.integer("n") }
    }
    try ingest((1...2_000).map { Self.line($0, ",\"loss\":\(Self.value($0))") })
    #expect(try nodes() == 0)
    #expect(try fixture.job(job.id).summary == nil)
    try ingest([Self.line(2_001, ",\"loss\":1")])
    #expect(try nodes() == 7)
    #expect(try fixture.job(job.id).summary != nil)
  }

  @Test func `lines of an older program are packed when they are first asked for`() throws {
    try ingest((1...3_000).map { Self.line($0, ",\"loss\":\(Self.value($0))") })
    let before = try curve(points: 64)
    let connection = try Connection(path: fixture.path, access: .write)
    try connection.script("DELETE FROM metric_nodes; DELETE FROM metric_values")
    #expect(try curve(points: 64) == before)
    let nodes = try connection.first("SELECT count(*) AS n FROM metric_nodes WHERE key = 'loss'") {
      $0.integer("n")
    }
    #expect(nodes ?? 0 >= 10)
    try connection.script("DELETE FROM jobs")
    for table in ["metric_nodes", "metric_values"] {
      #expect(try connection.first("SELECT count(*) AS n FROM \(table)") { $0.integer("n") } == 0)
    }
  }

  /// `summary` as it follows from the values.
  private func summary(_ values: [Double]) -> [Double?] {
    let finite = values.filter(\.isFinite)
    let window = finite.suffix((finite.count + 9) / 10)
    return [
      values.last.flatMap { $0.isFinite ? $0 : nil }, window.reduce(0, +) / Double(window.count),
      finite.min(),
      finite.max(),
    ]
  }

  @Test(arguments: [1, 9, 10, 11, 255, 256, 300, 2_570, 5_000])
  func `the summary has last value, mean of the last tenth, extremes and best step`(count: Int) throws {
    let values = (1...count).map { $0 % 13 == 7 ? .nan : Self.value($0) }
    try ingest(
      values.enumerated().map { index, value in
        let text = value.isFinite ? "\(value)" : "null"
        return Self.line(index + 1, ",\"loss\":\(text),\"rankme\":\(text)")
      })
    try store.packMetrics(job.id)
    let summary = try #require(fixture.job(job.id).summary.map { try JSON.parse($0) })
    let names: [ByteString] = ["last", "mean", "min", "max"]
    let found = names.map { summary["loss"]?[$0]?.double }
    for (a, b) in zip(found, self.summary(values)) {
      #expect(a == nil && b == nil || abs((a ?? .nan) - (b ?? .nan)) < 1e-9, "\(found)")
    }
    let lowest = values.firstIndex(of: self.summary(values)[2] ?? .nan)
    let highest = values.firstIndex(of: self.summary(values)[3] ?? .nan)
    #expect(summary["loss"]?["best_step"]?.int == lowest.map { $0 + 1 })
    // Of a rank the highest is the best.
    #expect(summary["rankme"]?["best_step"]?.int == highest.map { $0 + 1 })
  }

  @Test func `the fewest nodes cover the chunks`() {
    for chunks in [0, 1, 15, 16, 17, 255, 256, 257, 4_369, 70_000] {
      let ranges = MetricPyramid.cover(chunks: chunks)
      let covered = ranges.flatMap { level, nodes in
        nodes.map { $0 << (level * 4)..<($0 + 1) << (level * 4) }
      }
      #expect(covered.reduce(0) { $1.lowerBound == $0 ? $1.upperBound : -1 } == chunks)
      #expect(ranges.dropFirst().allSatisfy { $0.nodes.count < 16 })
    }
  }
}
