import JSONText
import Platform

/// The files that show how the features of the held-back images lie: `projection.json` as they lie now, and
/// `spectrum.json` with a row for each evaluation.
///
/// Numbers have six significant digits.
package struct LayoutFiles: Sendable {
  /// Points of a projection at most: of more images, some at equal distances in their order.
  static let pointsMax = 2_000
  /// Rows of a spectrum at most, besides the newest: from twice as many evaluations on, every second one is
  /// left out, from four times as many on, every fourth one stays, and so on.
  static let rowsMax = 64

  /// The rows of the spectrum, of the first evaluation first.
  private var rows: [Row]

  private struct Row {
    let number: Int
    let step: Int
    let json: JSON
  }

  /// Goes on with the rows of an earlier attempt's spectrum; what is not a row is left out.
  ///
  /// - Parameter spectrum: the content of that file; `nil`: there is none.
  package init(after spectrum: JSON? = nil) {
    rows = (spectrum?["rows"]?.array ?? []).compactMap { row in
      guard let number = row["evaluation"]?.int, number >= 1, let step = row["step"]?.int, step >= 0,
        row["singular_values"]?.array != nil, row["standard_deviations"]?.array != nil
      else { return nil }
      return Row(number: number, step: step, json: row)
    }
  }

  /// Takes the next evaluation. Rows of the same step and of later ones were those of an attempt that this
  /// one repeats.
  package mutating func add(_ layout: FeatureLayout, at place: OnlineReport.Place) {
    rows.removeAll { $0.step >= place.step }
    let json: JSON = [
      "evaluation": .integer(place.number), "step": .integer(place.step), "epoch": .integer(place.epoch),
      "singular_values": .array(layout.singularValues.map(Self.number)),
      "standard_deviations": .array(layout.deviations.map(Self.number)),
    ]
    rows.append(Row(number: place.number, step: place.step, json: json))
    var distance = 1
    while (place.number + distance - 1) / distance > Self.rowsMax { distance *= 2 }
    rows.removeAll { ($0.number - 1) % distance != 0 && $0.number != place.number }
  }

  /// The content of `spectrum.json`.
  package var spectrum: JSON { ["rows": .array(rows.map(\.json))] }

  /// The content of `projection.json`.
  package static func projection(_ layout: FeatureLayout, at place: OnlineReport.Place) -> JSON {
    let count = min(layout.images.count, pointsMax)
    let shown = (0..<count).map { $0 * layout.images.count / count }
    return [
      "step": .integer(place.step), "epoch": .integer(place.epoch),
      "explained_variance": .array([number(layout.explained.x), number(layout.explained.y)]),
      "classes": layout.labels == nil ? .null : .array(layout.classes.map { .string($0) }),
      "indices": .array(shown.map { .integer(layout.images[$0]) }),
      "labels": layout.labels.map { labels in .array(shown.map { .integer(labels[$0]) }) } ?? .null,
      "points": .array(
        shown.map { .array([number(layout.points[$0].x), number(layout.points[$0].y)]) }),
    ]
  }

  /// Bytes of both files at most.
  static func byteCount(images: Int, dimensions: Int) -> Int {
    let points = min(images, pointsMax) * 5 * numberBytes
    return points + (rowsMax + 1) * (min(images, dimensions) + dimensions + 8) * numberBytes
  }

  /// Bytes of a number and what separates it from the next: `-1.23456e-05,`.
  private static let numberBytes = 13
  private static let digits = 6

  /// A number with six significant digits.
  private static func number(_ value: Double) -> JSON {
    guard value.isFinite, value != 0 else { return .number(value) }
    let magnitude = (Mathematics.logarithm(abs(value)) / Mathematics.logarithm(10)).rounded(.down)
    let places = digits - 1 - Int(magnitude)
    let scale = Mathematics.power(10, Double(abs(places)))
    guard scale.isFinite else { return .number(0) }
    return .number(places >= 0 ? (value * scale).rounded() / scale : (value / scale).rounded() * scale)
  }
}
