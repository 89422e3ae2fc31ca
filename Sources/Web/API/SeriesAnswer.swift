import HTTP
import JSONText
import JobStore
import Recipe
import Text

extension Series {
  /// `{"job", "width", "series": {"inv": [[step, mean, min, max], …], …}, "not_finite": {"inv": [[step,
  /// count], …]}}`. A bucket without finite values has three nulls; `not_finite` has every bucket with
  /// values that are not finite, and only metrics that have any. For each axis, `time_ms` or `epoch` has
  /// `[step, place]` of every bucket whose place is known.
  ///
  /// - Parameter isSparse: leaves out metrics without a line.
  func jsonText(_ job: JobID, _ names: [String], axes: Set<CurveQuery.Axis>, isSparse: Bool = false) -> String
  {
    let shown = isSparse ? names.filter { !(curves[$0] ?? []).isEmpty } : names
    let series = shown.map { name in
      let points = (self.curves[name] ?? []).map { point in
        let values = point.values.map { JSON.optional($0).text }.joined(separator: ",")
        return "[\(point.step),\(values)]"
      }
      return "\"\(name)\":[\(points.joined(separator: ","))]"
    }
    let notFinite = shown.compactMap { name -> String? in
      let points = (self.curves[name] ?? []).filter { $0.notFiniteCount > 0 }
      if points.isEmpty { return nil }
      return "\"\(name)\":[\(points.map { "[\($0.step),\($0.notFiniteCount)]" }.joined(separator: ","))]"
    }
    let places = CurveQuery.Axis.allCases.filter(axes.contains).compactMap { axis -> String? in
      guard let name = axis.memberName else { return nil }
      let list = self.places.compactMap { place in axis.value(of: place).map { "[\(place.step),\($0)]" } }
      return ",\"\(name)\":[\(list.joined(separator: ","))]"
    }
    return """
      {"job":"\(job)","width":\(width),"series":{\(series.joined(separator: ","))},\
      "not_finite":{\(notFinite.joined(separator: ","))}\(places.joined())}
      """
  }

  /// A table with a row for each bucket (RFC 4180): `step`, then mean, min and max of each metric under its
  /// name, `NAME_min` and `NAME_max`; empty where there is no finite value.
  func csv(_ names: [String]) -> Response {
    var rows: [Int: [String]] = [:]
    for (column, name) in names.enumerated() {
      for point in curves[name] ?? [] {
        let fields = point.values.map { $0.map { JSON.number($0).text } ?? "" }.joined(separator: ",")
        rows[point.step, default: [String](repeating: ",,", count: names.count)][column] = fields
      }
    }
    let head = (["step"] + names.map { "\($0),\($0)_min,\($0)_max" }).joined(separator: ",")
    let lines = [head] + rows.keys.sorted().map { "\($0),\((rows[$0] ?? []).joined(separator: ","))" }
    var response = Response(
      status: 200, contentType: "text/csv; charset=utf-8",
      bytes: Array((lines.joined(separator: "\r\n") + "\r\n").utf8))
    response.headers.add("Cache-Control", "no-cache")
    return response
  }
}

extension SeriesPoint {
  fileprivate var values: [Double?] { [finite?.mean, finite?.min, finite?.max] }
}

extension JSON {
  /// `.number`, or `.null` for `nil`.
  static func optional(_ value: Double?) -> JSON { value.map(JSON.number) ?? .null }
}

extension Request {
  /// Whether `Accept` names text/csv, and no JSON with a higher weight (RFC 9110, section 12.5.1).
  var prefersCSV: Bool { prefers("text/csv") }

  /// Whether `Accept` names that media type, and no JSON with a higher weight.
  func prefers(_ type: ByteString) -> Bool {
    var (other, json) = (0.0, 0.0)
    for part in (headers.list("Accept") ?? "").split(0x2C) {
      let fields = part.split(0x3B).map(\.trimmed.lowercasedASCII)
      let quality = fields.dropFirst().first { $0.hasPrefix("q=") }
      let weight = quality.flatMap { Double($0.dropFirst(2).string) } ?? 1
      if fields.first == type { other = max(other, weight) }
      if fields.first == "application/json" || fields.first == "application/x-ndjson" {
        json = max(json, weight)
      }
    }
    return other > 0 && other >= json
  }
}
