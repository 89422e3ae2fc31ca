import HTTP
import JobModel
import JobStore
import Synchronization

extension API {
  /// The curves that a chart gets if it does not name any.
  static let seriesKeysDefault = ["loss", "inv", "var", "cov"]
  /// Curves in one answer.
  static let seriesKeysMax = 32

  /// `GET /jobs/{id}/metrics`: the recorded lines, or with `points` curves for a chart:
  /// `{"series": {"inv": [[step, value], …], …}}`.
  @Sendable
  func getMetrics(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let fromStep = query.integer("from_step", 0...Int.max)
    let follow = query.flag("follow")
    let points = query.integer("points", 4...100_000)
    let keys = query.value("keys").map { $0.split(separator: ",").map(String.init) }
    if let keys, keys.isEmpty || keys.count > Self.seriesKeysMax || !keys.allSatisfy(Self.isKey) {
      query.refuse(
        "keys", "must be 1 to \(Self.seriesKeysMax) names of a-z, 0-9 and _, separated by commas")
    }
    if keys != nil && points == nil { query.refuse("keys", "goes with \"points\" only") }
    if points != nil && (follow || fromStep != nil) {
      query.refuse("points", "does not go with \"follow\" or \"from_step\"")
    }
    try query.finish()
    let record = try record(request)
    if let points {
      return try series(record, keys: keys ?? Self.seriesKeysDefault, points: points)
    }
    let stream = MetricStream(store: store, id: record.id, fromStep: fromStep ?? 0, follow: follow)
    var response = Response(body: .stream(stream))
    response.headers.add("Content-Type", "application/x-ndjson")
    response.headers.add("Cache-Control", "no-cache")
    response.headers.add("X-Accel-Buffering", "no")
    return response
  }

  private func series(_ record: JobRecord, keys: [String], points: Int) throws -> Response {
    let curves = try store.series(record.id, keys: keys, points: points).mapValues { curve in
      JSON.array(curve.map { [.integer($0.step), .number($0.value)] })
    }
    return .json(["job": .string(record.id.text), "series": .object(curves)])
  }

  private static func isKey(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || $0 == UInt8(ascii: "_")
      }
  }
}

/// The recorded lines of a job, and with `follow` those that come, until its `end`.
final class MetricStream: BodyStream {
  private struct Position {
    var sequence = 0
    var hasEnded = false
  }

  private let store: JobStore
  private let id: JobID
  private let fromStep: Int
  private let follow: Bool
  private let position = Mutex(Position())

  /// Lines in one piece.
  private static let linesMax = 500
  /// How long a follower waits before it looks again.
  private static let pollMilliseconds = 25

  init(store: JobStore, id: JobID, fromStep: Int, follow: Bool) {
    self.store = store
    self.id = id
    self.fromStep = fromStep
    self.follow = follow
  }

  func next() throws -> BodyStep {
    let place = position.withLock { $0 }
    if place.hasEnded { return .end }
    let lines = try store.lines(id, after: place.sequence, fromStep: fromStep, limit: Self.linesMax)
    guard let last = lines.last else {
      // A job that was deleted while it was followed tells nothing more.
      let isOver = try !follow || store.job(id) == nil
      return isOver ? .end : .idle(milliseconds: Self.pollMilliseconds)
    }
    position.withLock { $0 = Position(sequence: last.sequence, hasEnded: last.event == "end") }
    return .bytes(lines.flatMap { Array($0.line.utf8) + [UInt8(ascii: "\n")] })
  }

  /// Nothing is held open between two pieces.
  func close() {}
}
