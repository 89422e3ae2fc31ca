import Text

/// Where the keys of a specification belong, for messages about keys in a wrong place.
package struct KeyPlaces: Sendable {
  private var phrases: [ByteString: [String]] = [:]
  private let name: String
  /// Places of one key that a message names.
  private static let placesMax = 3

  /// - Parameters:
  ///   - schema: a JSON Schema of objects, whose keys are named by their paths: `"optimizer.lr"`.
  ///   - outside: keys that stand next to the object.
  ///   - name: what the object is called there.
  package init(_ schema: JSON, outside: [ByteString] = [], name: String = "") {
    for key in outside { phrases[key, default: []].append("\"\(key)\" next to \"\(name)\"") }
    self.name = name
    add(schema, prefix: "")
  }

  private mutating func add(_ schema: JSON, prefix: String) {
    for (key, member) in (schema["properties"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
      let path = "\(prefix)\(key)"
      let phrase = prefix.isEmpty && !name.isEmpty ? "\"\(name).\(path)\"" : "\"\(path)\""
      if phrases[key]?.contains(phrase) != true { phrases[key, default: []].append(phrase) }
      add(member, prefix: "\(path).")
    }
    for alternative in schema["anyOf"]?.array ?? [] { add(alternative, prefix: prefix) }
  }

  /// The places that a key has, as they follow "did you mean"; nil if it has none.
  func phrase(for key: ByteString) -> String? {
    guard let places = phrases[key]?.prefix(Self.placesMax), let last = places.last else { return nil }
    return places.count == 1 ? last : "\(places.dropLast().joined(separator: ", ")) or \(last)"
  }
}
