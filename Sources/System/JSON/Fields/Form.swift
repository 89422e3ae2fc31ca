import Text

/// The values that a member of a JSON object may have: how they are read, written and described.
///
/// A `Field` gives a form a key and a property: `.integer(1...8)` reads a whole number from 1 to 8 into an
/// `Int`, refuses everything else with a sentence that says so, and has the JSON Schema of such numbers.
package struct Form<Value: Sendable>: Sendable {
  /// The JSON Schema (draft 2020-12) of the values, with the default where one is given.
  package let schema: @Sendable (_ defaultValue: Value?) -> JSON
  /// Takes the value of the member `key` of what `reader` reads, or notes in it what is wrong.
  package let read:
    @Sendable (_ value: JSON, _ key: ByteString, _ reader: ObjectReader, _ into: inout Value) -> Void
  /// The value as JSON, which `read` reads back as an equal value.
  package let json: @Sendable (Value) -> JSON
  /// Appends the text of `json`.
  package let write: @Sendable (Value, inout [UInt8]) -> Void

  /// A form whose values are not made of other members with keys of their own.
  ///
  /// - Parameters:
  ///   - requirement: what is said of a value that is refused, without that value: `must be true or false`.
  ///   - parse: the value that JSON stands for; nil where it is refused.
  package init(
    schema: JSON, requirement: @escaping @Sendable (_ refused: JSON) -> String,
    parse: @escaping @Sendable (JSON) -> Value?, json: @escaping @Sendable (Value) -> JSON
  ) {
    self.schema = { $0.map { schema.withDefault(json($0)) } ?? schema }
    read = { value, key, reader, field in
      if let parsed = parse(value) { field = parsed } else { reader.refuse(key, requirement(value)) }
    }
    self.json = json
    write = { json($0).write(to: &$1) }
  }

  /// A form of any kind.
  package init(
    schema: @escaping @Sendable (_ defaultValue: Value?) -> JSON,
    read:
      @escaping @Sendable (_ value: JSON, _ key: ByteString, _ reader: ObjectReader, _ into: inout Value) ->
      Void,
    json: @escaping @Sendable (Value) -> JSON, write: @escaping @Sendable (Value, inout [UInt8]) -> Void
  ) {
    self.schema = schema
    self.read = read
    self.json = json
    self.write = write
  }
}

extension Form where Value: JSONRecord {
  /// An object with the fields of the type; those that are missing keep their values.
  package static var record: Form {
    Form(
      schema: { Value.fields.schema(defaults: $0) },
      read: { value, key, reader, record in record.read(value, key, reader) },
      json: { $0.json }, write: { Value.fields.write($0, to: &$1) })
  }
}

extension Form {
  /// An object with the fields of the type, or `null`.
  ///
  /// - Parameter template: has the fields that are missing where there was no object before.
  package static func recordOrNull<Record: JSONRecord>(_ template: Record) -> Form where Value == Record? {
    Form(
      schema: { defaultValue in
        let schema: JSON = [
          "anyOf": [["type": "null"], Record.fields.schema(defaults: defaultValue.map { $0 ?? template })]
        ]
        if case .some(.none) = defaultValue { return schema.withDefault(.null) }
        return schema
      },
      read: { value, key, reader, field in
        if value.isNull {
          field = nil
        } else {
          var record = field ?? template
          record.read(value, key, reader)
          field = record
        }
      },
      json: { $0?.json ?? .null },
      write: { record, bytes in
        if let record { Record.fields.write(record, to: &bytes) } else { JSON.null.write(to: &bytes) }
      })
  }
}

extension JSONRecord {
  /// Reads the fields of the object that is a member of what another reader reads.
  package mutating func read(_ value: JSON, _ key: ByteString, _ reader: ObjectReader) {
    let inner = ObjectReader(
      value, at: reader.pointer(to: key), reader.problems, places: reader.places)
    if !inner.isObject { return }
    read(inner)
    inner.finish()
  }
}
