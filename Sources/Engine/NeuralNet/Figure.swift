/// One number that a step reports, by its name in the stream of metrics.
package struct Figure: Sendable, Equatable {
  /// Such as `loss`.
  package let name: String
  /// As computed, finite or not.
  package let value: Double

  /// A figure; `name` is a key of the metric lines.
  package init(_ name: String, _ value: Double) {
    self.name = name
    self.value = value
  }
}

extension [Figure] {
  /// The figure of that name.
  package subscript(name: String) -> Double? { first { $0.name == name }?.value }
}
