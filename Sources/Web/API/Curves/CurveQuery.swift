import JobStore
import Text

/// What a request wants of curves: which metrics, in how many buckets, of which steps, and on which axes.
struct CurveQuery: Hashable, Sendable {
  /// Axes that curves can be drawn on. The steps are always there.
  enum Axis: String, CaseIterable, Sendable {
    case step, epoch, time

    /// The member of the answer that has the buckets' places on it; `nil`: each point has its step.
    var memberName: String? {
      switch self {
      case .step: nil
      case .epoch: "epoch"
      case .time: "time_ms"
      }
    }

    /// Where a bucket lies on it; `nil`: that is not known.
    func value(of place: SeriesPlace) -> Int? {
      switch self {
      case .step: place.step
      case .epoch: place.epoch
      case .time: place.milliseconds
      }
    }
  }

  /// `nil`: those that a chart gets by itself.
  let keys: [ByteString]?
  /// Buckets of a curve at most; `nil`: not given.
  let points: Int?
  /// `nil`: all.
  let steps: ClosedRange<Int>?
  let axes: Set<Axis>
  /// The first parameter that was given; `nil`: none.
  let first: ByteString?

  /// Reads `points`, `keys`, `from`, `to` and `x`.
  ///
  /// - Parameter keysMax: metrics at most.
  init(
    _ query: inout QueryReader, keysMax: Int = API.seriesKeysMax,
    pointsRange: ClosedRange<Int> = API.seriesPointsRange
  ) {
    points = query.integer("points", pointsRange)
    keys = query.value("keys").map { $0.split(0x2C, omittingEmptySubsequences: false) }
    if let keys, keys.count > keysMax || !keys.allSatisfy(Self.isKey) {
      query.refuse("keys", "must be 1 to \(keysMax) names of a-z, 0-9 and _, separated by commas")
    }
    let (from, to) = (query.integer("from", Self.stepRange), query.integer("to", Self.stepRange))
    let (first, last) = (from ?? Self.stepRange.lowerBound, to ?? Self.stepRange.upperBound)
    if first > last { query.refuse("to", "must be at least \"from\", which is \(first), got \(last)") }
    steps = (from != nil || to != nil) && first <= last ? first...last : nil
    let axes: [Axis] = query.choices("x")
    self.axes = Set(axes)
    let given: [(ByteString, Bool)] = [
      ("points", points != nil), ("keys", keys != nil), ("from", from != nil), ("to", to != nil),
      ("x", !axes.isEmpty),
    ]
    self.first = given.first { $0.1 }?.0
  }

  /// Steps that a request may name.
  static let stepRange = 0...(1 << 53)

  private static func isKey(_ text: ByteString) -> Bool {
    (1...64).contains(text.count)
      && text.bytes.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || $0 == UInt8(ascii: "_")
      }
  }
}
