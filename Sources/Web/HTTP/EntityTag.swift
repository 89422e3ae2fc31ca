import Text

/// entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE  (RFC 9110, section 8.8.3).
package struct EntityTag: Equatable, Sendable {
  /// What stands between the quotes.
  package var value: ByteString
  /// Whether two bodies with this tag may differ in their bytes.
  package var isWeak: Bool

  package init(_ value: ByteString, isWeak: Bool = false) {
    self.value = value
    self.isWeak = isWeak
  }

  /// A tag that is made here.
  package init(_ tag: String, isWeak: Bool = false) { self.init(ByteString(tag), isWeak: isWeak) }

  /// The tag as a field holds it.
  package var text: String { "\(isWeak ? "W/" : "")\"\(value)\"" }

  /// A tag from its text with the quotes; nil for anything else.
  package init?(text: ByteString) {
    guard let tags = EntityTag.list(text), tags.count == 1 else { return nil }
    self = tags[0]
  }

  /// The tag of the gzipped form of the same version: other bytes, so another tag (RFC 9110, section
  /// 8.8.3.3), as strong as this one.
  package var gzipped: EntityTag { EntityTag("\(value)+gzip", isWeak: isWeak) }

  /// The tags of one version, one per content coding in which answers are sent.
  private var forms: [EntityTag] { [self, gzipped] }

  /// The first of the tags in a list that names the version of this tag, in whatever content coding; nil if
  /// none does.
  ///
  /// - Parameter isStrong: whether weak tags never match (RFC 9110, section 8.8.3.2).
  package func version(in tags: [EntityTag], isStrong: Bool) -> EntityTag? {
    forms.first { form in
      tags.contains { isStrong ? $0.matchesStrongly(form) : $0.matchesWeakly(form) }
    }
  }

  /// Byte for byte the same, and neither weak (RFC 9110, section 8.8.3.2).
  package func matchesStrongly(_ other: EntityTag) -> Bool {
    !isWeak && !other.isWeak && value == other.value
  }

  /// The same but for weakness.
  package func matchesWeakly(_ other: EntityTag) -> Bool { value == other.value }

  /// #entity-tag; nil when it is not one. Commas may stand inside the quotes.
  package static func list(_ field: ByteString) -> [EntityTag]? {
    var tags: [EntityTag] = []
    var rest = field.bytes.drop(while: Grammar.isWhiteSpace)
    while !rest.isEmpty {
      let isWeak = rest.starts(with: "W/".utf8)
      if isWeak { rest = rest.dropFirst(2) }
      guard rest.first == 0x22 else { return nil }
      rest = rest.dropFirst()
      guard let end = rest.firstIndex(of: 0x22) else { return nil }
      tags.append(EntityTag(ByteString(Substring(rest[..<end])), isWeak: isWeak))
      rest = rest[end...].dropFirst().drop(while: Grammar.isWhiteSpace)
      guard rest.isEmpty || rest.first == 0x2C else { return nil }
      rest = rest.dropFirst().drop(while: Grammar.isWhiteSpace)
    }
    return tags
  }
}
