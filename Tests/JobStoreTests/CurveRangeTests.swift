import JobModel
import Testing

@testable import JobStore

/// Issue 19: parts of a curve, and its other axes.
@Suite struct `Parts of curves` {
  private let fixture: StoreFixture
  private var store: JobStore { fixture.store }
  private let job: JobRecord

  init() throws {
    fixture = try StoreFixture()
    try fixture.train()
    job = try fixture.claim()
  }

  private static func value(_ index: Int) -> Double { Double((index * 7919) % 1009) / 7 }

  private static func time(_ step: Int) -> String {
    let (minutes, seconds) = (step / 60 % 60, step % 60)
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "2026-01-01T\(two(step / 3600)):\(two(minutes)):\(two(seconds)).000Z"
  }

  private static func line(_ step: Int) -> String {
    "{\"event\":\"metric\",\"step\":\(step),\"epoch\":\(step / 100),\"time\":\"\(time(step))\","
      + "\"loss\":\(value(step)),\"inv\":\(step)}"
  }

  private func ingest(_ lines: [String]) throws {
    let start = try fixture.job(job.id).ingestOffset
    let end = start + lines.reduce(0) { $0 + $1.utf8.count + 1 }
    #expect(
      try store.ingest(job.id, attempt: 1, from: start, to: end, lines: lines) == .recorded(malformed: 0))
    try store.packMetrics(job.id)
  }

  @Test(arguments: [
    (0, 10_000), (1, 1), (700, 900), (255, 257), (4_096, 4_100), (4_400, 9_999), (2_000, 4_499),
    (5_000, 6_000),
  ])
  func `have the true means of whole buckets, however fine`(first: Int, last: Int) throws {
    for start in stride(from: 1, through: 4_500, by: 500) {
      try ingest((start..<min(start + 500, 4_501)).map(Self.line))
    }
    for points in [2, 9, 100, 1_000] {
      let series = try store.series(job.id, keys: ["loss"], points: points, steps: first...last)
      let curve = try #require(series.curves["loss"])
      let width = Int(series.width)
      let (from, to) = (max(first, 1), min(last, 4_500))
      let bounds = from / width * width...max(from, to) / width * width + width - 1
      let steps = from > to ? [] : (1...4_500).filter(bounds.contains)
      let buckets = Dictionary(grouping: steps) { $0 / width * width }
      #expect(curve.map(\.step) == buckets.keys.sorted())
      #expect(curve.count <= points)
      for point in curve {
        let values = try #require(buckets[point.step]).map(Self.value)
        let mean = values.reduce(0, +) / Double(values.count)
        #expect(abs((point.finite?.mean ?? -1) - mean) <= 1e-9)
        #expect(point.finite?.min == values.min() && point.finite?.max == values.max())
      }
    }
  }

  @Test(arguments: [100, 4_500, 12_000])
  func `lie in time and epochs as their lines say`(count: Int) throws {
    for start in stride(from: 1, through: count, by: 500) {
      try ingest((start...min(start + 499, count)).map(Self.line))
    }
    for range in [nil, 30...90, 2_000...2_100] as [ClosedRange<Int>?] {
      let series = try store.series(job.id, keys: ["loss"], points: 64, steps: range, hasPlaces: true)
      let curve = try #require(series.curves["loss"])
      #expect(
        series.places.map(\.step).filter { step in curve.contains { $0.step == step } }.count == curve.count)
      let begin = 1_767_225_600_000
      for place in series.places {
        let (width, milliseconds) = (Int(series.width), try #require(place.milliseconds))
        // A line of the bucket, or what lies between two lines that were looked at.
        #expect((place.step * 1_000 - 12_000...(place.step + width) * 1_000).contains(milliseconds - begin))
        let epoch = try #require(place.epoch)
        #expect(((place.step - 13) / 100...(place.step + width) / 100).contains(epoch))
      }
    }
  }

  @Test func `of a job without lines are empty`() throws {
    let series = try store.series(job.id, keys: ["loss"], points: 8, steps: 3...4, hasPlaces: true)
    #expect(series.curves["loss"] == [] && series.places.isEmpty)
  }

  @Test func `only the metrics that are asked for are read from the last lines`() throws {
    try ingest((1...10).map(Self.line) + [#"{ "event":"metric","step":11,"loss":1e0,"inv":null }"#])
    let series = try store.series(job.id, keys: ["inv", "los"], points: 100)
    #expect(series.curves["inv"]?.map(\.step) == Array(1...11))
    #expect(series.curves["inv"]?.last?.notFiniteCount == 1)
    #expect(series.curves["los"] == [])
  }
}
