/// Header fields in order of arrival; names compare without case (RFC 9110, section 5.1).
package struct Headers: Sendable {
  /// Every field as it came or was added.
  package private(set) var fields: [(name: String, value: String)] = []

  package init() {}

  /// The first field of that name.
  package subscript(name: String) -> String? {
    fields.first { equalIgnoringCase($0.name, name) }?.value
  }

  /// Every value of that name in order.
  package func all(_ name: String) -> [String] {
    fields.filter { equalIgnoringCase($0.name, name) }.map(\.value)
  }

  /// The values of that name as the one list they stand for (RFC 9110, section 5.3), or nil without any.
  package func list(_ name: String) -> String? {
    let values = all(name)
    return values.isEmpty ? nil : values.joined(separator: ", ")
  }

  /// Adds a field after those that are there, whatever their names.
  package mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

  /// Replaces every field of that name by one.
  package mutating func set(_ name: String, _ value: String) {
    remove(name)
    fields.append((name, value))
  }

  /// Takes out every field of that name.
  package mutating func remove(_ name: String) {
    fields.removeAll { equalIgnoringCase($0.name, name) }
  }
}

/// Whether two texts are the same but for the case of ASCII letters.
package func equalIgnoringCase(_ one: String, _ other: String) -> Bool {
  guard one.utf8.count == other.utf8.count else { return false }
  var left = one.utf8.makeIterator()
  var right = other.utf8.makeIterator()
  while true {
    switch (left.next(), right.next()) {
    case (nil, nil): return true
    case (let a?, let b?) where a == b || lowercased(a) == lowercased(b): continue
    default: return false
    }
  }
}

private func lowercased(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
