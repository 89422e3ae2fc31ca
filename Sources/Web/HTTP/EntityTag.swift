/// entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE  (RFC 9110, section 8.8.3).
package struct EntityTag: Equatable, Sendable {
  /// What stands between the quotes.
  package var value: String
  /// Whether two bodies with this tag may differ in their bytes.
  package var isWeak: Bool

  package init(_ value: String, isWeak: Bool = false) {
    self.value = value
    self.isWeak = isWeak
  }

  /// The tag as a field holds it.
  package var text: String { "\(isWeak ? "W/" : "")\"\(value)\"" }

  /// A tag from its text with the quotes; nil for anything else.
  package init?(text: String) {
    guard let tags = EntityTag.list(text), tags.count == 1 else { return nil }
    self = tags[0]
  }

  /// Byte for byte the same, and neither weak (RFC 9110, section 8.8.3.2).
  package func matchesStrongly(_ other: EntityTag) -> Bool {
    !isWeak && !other.isWeak && value == other.value
  }

  /// The same but for weakness.
  package func matchesWeakly(_ other: EntityTag) -> Bool { value == other.value }

  /// #entity-tag; nil when it is not one. Commas may stand inside the quotes.
  package static func list(_ field: String) -> [EntityTag]? {
    var tags: [EntityTag] = []
    var rest = Grammar.trimmed(field[...])
    while !rest.isEmpty {
      let isWeak = rest.hasPrefix("W/")
      if isWeak { rest = rest.dropFirst(2) }
      guard rest.first == "\"" else { return nil }
      rest = rest.dropFirst()
      guard let end = rest.firstIndex(of: "\"") else { return nil }
      tags.append(EntityTag(String(rest[..<end]), isWeak: isWeak))
      rest = Grammar.trimmed(rest[end...].dropFirst())
      guard rest.isEmpty || rest.first == "," else { return nil }
      rest = Grammar.trimmed(rest.dropFirst())
    }
    return tags
  }
}
