import Text

/// The values of a search space's active parameters.
package struct Configuration: Sendable, Hashable {
  /// Value of each active parameter, by its pointer.
  package private(set) var values: [ByteString: Scalar]

  package init(_ values: [ByteString: Scalar] = [:]) { self.values = values }

  /// The value of a parameter; nil: it is not active.
  package subscript(pointer: ByteString) -> Scalar? {
    get { values[pointer] }
    set { values[pointer] = newValue }
  }

  /// The pointers of the active parameters, in the order of their bytes.
  package var pointers: [ByteString] { values.keys.sorted() }

  /// A text that two configurations share only if they are the same: `{"/batch":64,"/lr":0.001}`, pointers
  /// in the order of their bytes.
  package var key: ByteString {
    let members = values.sorted { $0.key < $1.key }.map { "\(Scalar.text($0.key).key):\($0.value.key)" }
    return ByteString("{\(members.joined(separator: ","))}")
  }
}
