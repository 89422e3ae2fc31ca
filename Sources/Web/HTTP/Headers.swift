import Text

/// Header fields in order of arrival; names compare without case (RFC 9110, section 5.1).
package struct Headers: Sendable {
  /// Every field as it came or was added.
  package private(set) var fields: [(name: ByteString, value: ByteString)] = []

  package init() {}

  /// The first field of that name.
  package subscript(name: ByteString) -> ByteString? {
    fields.first { $0.name.equalsIgnoringCase(name) }?.value
  }

  /// Every value of that name in order.
  package func all(_ name: ByteString) -> [ByteString] {
    fields.filter { $0.name.equalsIgnoringCase(name) }.map(\.value)
  }

  /// The values of that name as the one list they stand for (RFC 9110, section 5.3), or nil without any.
  package func list(_ name: ByteString) -> ByteString? {
    let values = all(name)
    return values.count > 1 ? values.joined(separator: ", ") : values.first
  }

  /// Adds a field after those that are there, whatever their names.
  package mutating func add(_ name: ByteString, _ value: ByteString) { fields.append((name, value)) }

  /// Adds a field whose value was made here.
  package mutating func add(_ name: ByteString, _ value: String) { add(name, ByteString(value)) }

  /// Replaces every field of that name by one.
  package mutating func set(_ name: ByteString, _ value: ByteString) {
    remove(name)
    add(name, value)
  }

  /// Replaces every field of that name by one whose value was made here.
  package mutating func set(_ name: ByteString, _ value: String) { set(name, ByteString(value)) }

  /// Takes out every field of that name.
  package mutating func remove(_ name: ByteString) {
    fields.removeAll { $0.name.equalsIgnoringCase(name) }
  }
}
