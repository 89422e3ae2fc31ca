import Text

/// The table of the fields of a type, made once: reads, writes and describes its values as JSON objects.
package struct Fields<Owner: Sendable>: Sendable {
  /// In the order of the source.
  private let list: [Field<Owner>]
  /// The same in the order of the keys' bytes, each with the text that begins it: `"key":`.
  private let ordered: [(field: Field<Owner>, opening: [UInt8])]
  private let hasConditions: Bool

  package init(@FieldBuilder<Owner> _ fields: () -> [Field<Owner>]) {
    list = fields()
    ordered = list.sorted { $0.key < $1.key }.map { field in
      var opening: [UInt8] = []
      JSON.string(field.key).write(to: &opening)
      return (field, opening + [UInt8(ascii: ":")])
    }
    hasConditions = list.contains { $0.condition != nil }
    for (one, next) in zip(ordered, ordered.dropFirst()) where one.field.key == next.field.key {
      precondition(
        one.field.condition != nil && next.field.condition != nil,
        "two fields \(one.field.key) need conditions that exclude each other")
    }
  }

  /// The same fields for an object that holds this one in a property and has its members.
  package func within<Outer: Sendable>(
    _ path: any WritableKeyPath<Outer, Owner> & Sendable
  ) -> [Field<Outer>] {
    list.map { $0.within(path) }
  }

  /// Reads the members that are there; the caller calls the reader's `finish`.
  package func read(_ reader: ObjectReader, into owner: inout Owner) {
    for field in list where field.applies(to: owner) { field.read(reader, into: &owner) }
    if hasConditions { refuseStrangers(reader, of: owner) }
  }

  /// Refuses members that belong to the object only where it is otherwise, with what it would have to be.
  private func refuseStrangers(_ reader: ObjectReader, of owner: Owner) {
    var phrases: [ByteString: [String]] = [:]
    for field in list {
      if let condition = field.condition, !condition.holds(owner), reader.isUnread(field.key) {
        phrases[field.key, default: []].append(condition.phrase)
      }
    }
    for (key, phrases) in phrases.sorted(by: { $0.key < $1.key }) {
      reader.refuse(stranger: key, "is allowed only where \(phrases.joined(separator: " or "))")
    }
  }

  /// Every field that belongs to the object, by name.
  package func json(of owner: Owner) -> JSON {
    var members: [ByteString: JSON] = [:]
    members.reserveCapacity(list.count)
    for field in list where field.applies(to: owner) { members[field.key] = field.json(owner) }
    return .object(members)
  }

  /// Appends the text of `json`, made without it.
  package func write(_ owner: Owner, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "{"))
    var isFirst = true
    for (field, opening) in ordered where field.applies(to: owner) {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      bytes += opening
      field.write(owner, &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  /// What an object may have, as a JSON Schema (draft 2020-12), without the rules that join several fields.
  ///
  /// - Parameter defaults: has the value of each field that is not given; nil: no defaults are described.
  package func schema(defaults: Owner?) -> JSON {
    ["type": "object", "properties": .object(properties(defaults: defaults)), "additionalProperties": false]
  }

  /// The schemas of the members by their names. Members of one name that belong to different objects are
  /// alternatives, and have a default where theirs is the object of the defaults.
  package func properties(defaults: Owner?) -> [ByteString: JSON] {
    var alternatives: [ByteString: [JSON]] = [:]
    for field in list {
      let isDefault = defaults.map(field.applies) ?? false
      alternatives[field.key, default: []].append(field.schema(defaults: isDefault ? defaults : nil))
    }
    return alternatives.mapValues { schemas in
      if schemas.count == 1 { return schemas[0] }
      let descriptions = schemas.compactMap { $0["description"]?.string }.joined(separator: " ")
      return ["description": .string(descriptions), "anyOf": .array(schemas)]
    }
  }
}

/// Lists fields as they stand, each checked by the compiler on its own.
@resultBuilder
package enum FieldBuilder<Owner: Sendable> {
  /// One field of the list.
  package static func buildExpression(_ field: Field<Owner>) -> [Field<Owner>] { [field] }
  /// The fields of another table.
  package static func buildExpression(_ fields: [Field<Owner>]) -> [Field<Owner>] { fields }
  /// The list.
  package static func buildBlock(_ fields: [Field<Owner>]...) -> [Field<Owner>] { fields.flatMap(\.self) }
}
