import Foundation
import JSONText
import Sweeps
import Testing
import Text

/// What `Golden/sweeps.py` has made.
enum Golden {
  /// A member of `sweeps.json`.
  static func member(_ name: ByteString) throws -> JSON {
    let file = try #require(Bundle.module.url(forResource: "Golden/sweeps", withExtension: "json"))
    return try #require(JSON.parse(String(contentsOf: file, encoding: .utf8))[name])
  }

  /// The space that the script uses; `/weight` has a condition where asked for.
  static func space(hasCondition: Bool) throws -> SearchSpace {
    try SearchSpace([
      Parameter("/batch", .int(low: 64, high: 512, step: 64)),
      Parameter("/lr", .logUniform(low: 1e-4, high: 1)), Parameter("/method", .choice(["a", "b", "c"])),
      Parameter(
        "/weight", .uniform(low: -1, high: 3), if: hasCondition ? [Condition("/method", in: ["b"])] : []),
    ])
  }

  /// A configuration from its JSON.
  static func configuration(_ json: JSON) -> Configuration {
    Configuration(
      (json.object ?? [:]).compactMapValues { value in
        switch value {
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .string(let value): .text(value)
        default: nil
        }
      })
  }
}

extension JSON {
  /// The numbers of an array.
  var doubles: [Double] { (array ?? []).compactMap(\.double) }
}

/// Whether two numbers agree to a part of the larger one.
func agree(_ a: Double, _ b: Double, within part: Double) -> Bool {
  abs(a - b) <= part * max(1, abs(a), abs(b))
}
