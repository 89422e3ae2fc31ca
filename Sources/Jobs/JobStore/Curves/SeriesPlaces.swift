import JSONText
import Platform
import SQLite

/// Where a bucket of a curve lies on other axes than that of the steps.
package struct SeriesPlace: Sendable, Equatable {
  /// The first step of the bucket.
  package let step: Int
  /// When that step was recorded, in Unix time; `nil`: no line says.
  package let milliseconds: Int?
  /// The epoch that it belongs to; `nil`: no line says.
  package let epoch: Int?
}

extension SeriesReader {
  /// Lines that are looked at, evenly spread: what lies between two of them is taken from both.
  private static let samplesMax = 1_024

  /// One line of the samples.
  private struct Sample {
    let step: Int
    let milliseconds: Int?
    let epoch: Int?
  }

  /// The place of each bucket, in the order of the steps.
  ///
  /// A run's lines say when they were written and in which epoch. Of a long run some are read, evenly spread:
  /// a time between two of them follows from both, an epoch is that of the line before.
  func places() throws -> [SeriesPlace] {
    guard let steps else { return [] }
    let samples = try samples(steps)
    var (places, next) = ([SeriesPlace](), 0)
    for start in stride(from: steps.lowerBound, through: steps.upperBound, by: Int(width)) {
      while next < samples.count, samples[next].step < start { next += 1 }
      let (before, after) = (next > 0 ? samples[next - 1] : nil, next < samples.count ? samples[next] : nil)
      // A bucket begins where its first line lies, if one was looked at.
      let isInside = after.map { $0.step - start < Int(width) } ?? false
      if isInside || before == nil {
        places.append(SeriesPlace(step: start, milliseconds: after?.milliseconds, epoch: after?.epoch))
      } else {
        places.append(
          SeriesPlace(step: start, milliseconds: Self.time(at: start, before, after), epoch: before?.epoch))
      }
    }
    return places
  }

  /// The time of a step between two samples.
  private static func time(at step: Int, _ before: Sample?, _ after: Sample?) -> Int? {
    guard let before, let time = before.milliseconds else { return after?.milliseconds }
    guard let after, let later = after.milliseconds, after.step > before.step else { return time }
    let share = Double(step - before.step) / Double(after.step - before.step)
    return time + Int(Double(later - time) * share)
  }

  private func samples(_ steps: ClosedRange<Int>) throws -> [Sample] {
    let (first, last) = try sequences()
    func sample(_ row: Row) throws -> Sample {
      // The line was JSON when it was stored; a damaged one says nothing.
      let members = (try? JSON.members(["epoch", "time"], of: row.text("line"))) ?? [:]
      let time = members["time"]?.string.flatMap { SystemClock.unixMilliseconds(rfc3339: $0.bytes) }
      return Sample(step: row.integer("step"), milliseconds: time, epoch: members["epoch"]?.int)
    }
    let rows = """
      SELECT step, line FROM events WHERE job = ? AND sequence >= ? AND sequence <= ?
        AND \(MetricPyramid.hasNumbers) ORDER BY sequence
      """
    let job = Value.integer(pyramid.job)
    let samples =
      if last - first < Self.samplesMax {
        try pyramid.connection.rows(rows, [job, .integer(first), .integer(last)], sample)
      } else {
        try (0..<Self.samplesMax).compactMap { index in
          let share = Double(index) / Double(Self.samplesMax - 1)
          let sequence = first + Int(Double(last - first) * share)
          return try pyramid.connection.first(
            rows + " LIMIT 1", [job, .integer(sequence), .integer(last)], sample)
        }
      }
    return samples.filter { steps.contains($0.step) }
  }

  /// The sequences in `events` of the first and the last line that the buckets are made of, or about that.
  private func sequences() throws -> (first: Int, last: Int) {
    func end(ofChunk chunk: Int) throws -> Int {
      try pyramid.nodes(MetricPyramid.stepsKey, level: 0, chunk..<chunk + 1).first?.lastSequence ?? 0
    }
    let first = chunks.isEmpty ? chunkCount : chunks.lowerBound
    let hasTail = tail.steps.contains { steps?.contains($0) ?? false }
    let last = hasTail ? tail.lastSequence : try end(ofChunk: chunks.upperBound - 1)
    return (first == 0 ? 1 : try end(ofChunk: first - 1) + 1, last)
  }
}
