import Text

/// A value whose JSON form is an object with the members that its table of fields lists.
package protocol JSONRecord: Sendable {
  /// Every member, in the order in which they are read and their mistakes are listed.
  static var fields: Fields<Self> { get }
}

extension JSONRecord {
  /// Every field by name; `read` reads it back as an equal value.
  package var json: JSON { Self.fields.json(of: self) }

  /// The text of `json`, made without it.
  package var jsonText: String {
    var bytes: [UInt8] = []
    Self.fields.write(self, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads the members that are there. What is missing stays unchanged, and so does what is wrong, which is
  /// noted in the reader's list.
  package mutating func read(_ reader: ObjectReader) { Self.fields.read(reader, into: &self) }
}

/// A member of a JSON object: its key, the property that holds it, the values that it may have, and what it
/// means. Each is said here once; `Fields` reads, writes and describes objects by it.
///
///     struct Poll: JSONRecord {
///       var seconds = 5
///       var jitter = 0.1
///
///       static let fields = Fields<Self> {
///         Field("seconds", \.seconds, .integer(1...3600), "Seconds from one poll to the next.")
///         Field("jitter", \.jitter, .number(.closed(0, 1)), "Share of them that is random.")
///           .when("seconds is above 1") { $0.seconds > 1 }
///       }
///     }
package struct Field<Owner: Sendable>: Sendable {
  /// The name of the member.
  package let key: ByteString
  /// Where the member belongs to the object at all; nil: always.
  let condition: Condition?
  private let description: String
  private let schema: @Sendable (Owner?) -> JSON
  private let read: @Sendable (JSON, ByteString, ObjectReader, inout Owner) -> Void
  /// The member's value as JSON.
  let json: @Sendable (Owner) -> JSON
  /// Appends the text of `json`.
  let write: @Sendable (Owner, inout [UInt8]) -> Void
  private let rules: [Rule]

  /// What the other fields must be for a member to belong to the object.
  struct Condition: Sendable {
    /// How messages say it, after "where".
    let phrase: String
    /// Whether it is so.
    let holds: @Sendable (Owner) -> Bool
  }

  /// What happens once the member has been read.
  private enum Rule: Sendable {
    case check(String, @Sendable (Owner) -> Bool)
    case then(@Sendable (inout Owner) -> Void)
    case required(String)
    case withoutDefault
  }

  /// - Parameter description: what the member means, with its unit.
  package init<Value: Sendable>(
    _ key: ByteString, _ path: any WritableKeyPath<Owner, Value> & Sendable, _ form: Form<Value>,
    _ description: String
  ) {
    self.init(
      key: key, condition: nil, description: description, schema: { form.schema($0?[keyPath: path]) },
      read: { form.read($0, $1, $2, &$3[keyPath: path]) },
      json: { form.json($0[keyPath: path]) }, write: { form.write($0[keyPath: path], &$1) }, rules: [])
  }

  private init(
    key: ByteString, condition: Condition?, description: String, schema: @escaping @Sendable (Owner?) -> JSON,
    read: @escaping @Sendable (JSON, ByteString, ObjectReader, inout Owner) -> Void,
    json: @escaping @Sendable (Owner) -> JSON, write: @escaping @Sendable (Owner, inout [UInt8]) -> Void,
    rules: [Rule]
  ) {
    self.key = key
    self.condition = condition
    self.description = description
    self.schema = schema
    self.read = read
    self.json = json
    self.write = write
    self.rules = rules
  }

  /// The field only where the other fields are so: elsewhere it is refused, and neither written nor read. A
  /// table may have several fields of one key whose conditions exclude each other.
  ///
  /// - Parameter phrase: the condition for people: `method is "simclr"`.
  package func when(_ phrase: String, _ holds: @escaping @Sendable (Owner) -> Bool) -> Field {
    copy(condition: Condition(phrase: phrase, holds: holds), rules: rules)
  }

  /// The field with a rule that joins it with others read before it.
  ///
  /// - Parameter requirement: what is said where the rule is broken: `must be odd`.
  package func check(_ requirement: String, _ holds: @escaping @Sendable (Owner) -> Bool) -> Field {
    copy(condition: condition, rules: rules + [.check(requirement, holds)])
  }

  /// The field with a consequence for other fields, which follows wherever the member is given; what is given
  /// for those fields themselves has to come after it in the table.
  package func then(_ change: @escaping @Sendable (inout Owner) -> Void) -> Field {
    copy(condition: condition, rules: rules + [.then(change)])
  }

  /// The field as one that must be given.
  ///
  /// - Parameter requirement: what is said where it is missing: `must be the id of a job`.
  package func required(_ requirement: String) -> Field {
    copy(condition: condition, rules: rules + [.required(requirement)])
  }

  /// The field as one whose default is not always the same, so that none is described.
  package func withoutDefault() -> Field { copy(condition: condition, rules: rules + [.withoutDefault]) }

  /// The same member for an object that holds this field's in a property; `when` replaces its condition.
  func within<Outer: Sendable>(_ path: any WritableKeyPath<Outer, Owner> & Sendable) -> Field<Outer> {
    Field<Outer>(
      key: key,
      condition: condition.map { condition in
        Field<Outer>.Condition(phrase: condition.phrase) { condition.holds($0[keyPath: path]) }
      }, description: description, schema: { [schema] in schema($0?[keyPath: path]) },
      read: { [read] in read($0, $1, $2, &$3[keyPath: path]) },
      json: { [json] in json($0[keyPath: path]) },
      write: { [write] in write($0[keyPath: path], &$1) },
      rules: rules.map { rule in
        switch rule {
        case .check(let requirement, let holds): .check(requirement) { holds($0[keyPath: path]) }
        case .then(let change): .then { change(&$0[keyPath: path]) }
        case .required(let requirement): .required(requirement)
        case .withoutDefault: .withoutDefault
        }
      })
  }

  private func copy(condition: Condition?, rules: [Rule]) -> Field {
    Field(
      key: key, condition: condition, description: description, schema: schema, read: read, json: json,
      write: write, rules: rules)
  }

  /// Whether the member belongs to the object.
  func applies(to owner: Owner) -> Bool { condition?.holds(owner) ?? true }

  /// Reads the member, if there is one, and applies the rules.
  func read(_ reader: ObjectReader, into owner: inout Owner) {
    let value = reader.value(key)
    if let value { read(value, key, reader, &owner) }
    for rule in rules {
      switch rule {
      case .check(let requirement, let holds): if !holds(owner) { reader.refuse(key, requirement) }
      case .then(let change): if value != nil { change(&owner) }
      case .required(let requirement): if value == nil { reader.refuse(key, requirement) }
      case .withoutDefault: break
      }
    }
  }

  /// The JSON Schema of the member, with what it means and its default.
  func schema(defaults: Owner?) -> JSON {
    let hasDefault = !rules.contains { if case .withoutDefault = $0 { true } else { false } }
    let result = schema(hasDefault ? defaults : nil)
    let place = condition.map { " Only where \($0.phrase)." } ?? ""
    return description.isEmpty ? result : result.described(by: description + place)
  }
}
