import Text

/// One parameter of a search space.
package struct Parameter: Sendable, Hashable {
  /// The JSON pointer (RFC 6901) of the specification's member that takes the value.
  package var pointer: ByteString
  package var domain: Domain
  /// The parameter is active only if all of these hold; none: always.
  package var conditions: [Condition]

  package init(_ pointer: ByteString, _ domain: Domain, if conditions: [Condition] = []) {
    self.pointer = pointer
    self.domain = domain
    self.conditions = conditions
  }
}

/// Asks that another parameter be active and have one of some values.
package struct Condition: Sendable, Hashable {
  /// Which parameter.
  package var pointer: ByteString
  package var values: [Scalar]

  package init(_ pointer: ByteString, in values: [Scalar]) {
    self.pointer = pointer
    self.values = values
  }
}
