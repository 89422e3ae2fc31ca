import JSONText
import Text

/// What people write on a job; it never changes what the job does.
package struct JobLabelling: Sendable, Equatable {
  /// `nil`: has none.
  package var name: ByteString?
  package var labels: [ByteString: ByteString]
  package var notes: ByteString?
  /// 0…100, higher first.
  package var priority: Int

  package static let nameCharactersMax = 200
  package static let notesCharactersMax = 10_000
  package static let labelsMax = 32
  package static let labelKeyCharactersMax = 64
  package static let labelValueCharactersMax = 256
  package static let priorityDefault = 50

  package init(
    name: ByteString? = nil, labels: [ByteString: ByteString] = [:], notes: ByteString? = nil,
    priority: Int = priorityDefault
  ) {
    self.name = name
    self.labels = labels
    self.notes = notes
    self.priority = priority
  }

  /// Reads `name`, `labels`, `notes` and `priority` of a new job; what is missing stays unchanged.
  package mutating func read(_ reader: ObjectReader) { read(reader, isPatch: false) }

  /// Applies a merge patch (RFC 7396): what is missing stays unchanged, in `labels` too; `null` removes a
  /// label, the name, the notes or all labels, and brings the priority back to the default.
  package mutating func merge(_ reader: ObjectReader) { read(reader, isPatch: true) }

  /// What a request for a new job may say of them, as the members of a JSON Schema.
  package static var schemas: [ByteString: JSON] { schemas(isPatch: false) }

  /// What a merge patch may have, as the members of a JSON Schema.
  package static var patchSchemas: [ByteString: JSON] { schemas(isPatch: true) }

  private static func schemas(isPatch: Bool) -> [ByteString: JSON] {
    let schema = ObjectReader.schema { reader in
      var labelling = JobLabelling()
      labelling.read(reader, isPatch: isPatch)
    }
    return schema["properties"]?.object ?? [:]
  }

  private mutating func read(_ reader: ObjectReader, isPatch: Bool) {
    describe(to: reader, isPatch: isPatch)
    if let value = reader.value("name") {
      if value.isNull {
        name = nil
      } else if let text = value.string, ObjectReader.isLine(text, charactersMax: Self.nameCharactersMax) {
        name = text
      } else {
        reader.refuse(
          "name",
          "must be null or a string of 1 to \(Self.nameCharactersMax) characters \(ByteString.plainPhrase)")
      }
    }
    if let value = reader.value("notes") {
      if value.isNull {
        notes = nil
      } else if let text = value.string, text.charactersCount <= Self.notesCharactersMax,
        text.isPlain(allowsLines: true)
      {
        notes = text
      } else {
        reader.refuse(
          "notes",
          "must be null or a string of at most \(Self.notesCharactersMax) characters "
            + "\(ByteString.plainPhrase), line ends and tabs excepted")
      }
    }
    readLabels(reader, isPatch: isPatch)
    readPriority(reader, isPatch: isPatch)
  }

  private mutating func readPriority(_ reader: ObjectReader, isPatch: Bool) {
    let description = "Jobs with a higher priority begin first; of the same priority, the oldest."
    if isPatch {
      var value: Int? = priority
      reader.integer(
        "priority", orNullIn: 0...100, into: &value, "\(description) null: \(Self.priorityDefault).")
      priority = value ?? Self.priorityDefault
    } else {
      reader.integer("priority", 0...100, into: &priority, description)
    }
  }

  private mutating func readLabels(_ reader: ObjectReader, isPatch: Bool) {
    guard let value = reader.value("labels") else { return }
    if isPatch, value.isNull {
      labels = [:]
      return
    }
    guard let members = value.object else {
      return reader.refuse("labels", "must be an object of strings\(isPatch ? ", or null" : "")")
    }
    var result = isPatch ? labels : [:]
    for (key, value) in members.sorted(by: { $0.key < $1.key }) {
      if let problem = Self.problem(withKey: key, value, isPatch: isPatch) {
        reader.problems.add(ObjectReader.pointer(to: key, in: reader.pointer(to: "labels")), problem)
      } else {
        result[key] = value.string
      }
    }
    if result.count > Self.labelsMax {
      reader.problems.add(
        reader.pointer(to: "labels"), "must be at most \(Self.labelsMax) labels, got \(result.count)")
    } else {
      labels = result
    }
  }

  /// What is wrong with a label; nil: nothing.
  private static func problem(withKey key: ByteString, _ value: JSON, isPatch: Bool) -> String? {
    if key.bytes.contains(UInt8(ascii: "=")) {
      return "the label's key must be without =, which ends it in label=KEY=VALUE, got \"\(key.shown)\""
    }
    if !ObjectReader.isLine(key, charactersMax: labelKeyCharactersMax) {
      return "the label's key \(ObjectReader.lineRequirement(charactersMax: labelKeyCharactersMax)), "
        + "got \"\(key.shown)\""
    }
    if let text = value.string, text.charactersCount <= labelValueCharactersMax, text.isPlain() { return nil }
    if isPatch, value.isNull { return nil }
    let kinds = isPatch ? "null or " : ""
    return "the label \"\(key.shown)\" must be \(kinds)a string of at most \(labelValueCharactersMax) "
      + "characters \(ByteString.plainPhrase), \(ObjectReader.phrase(value))"
  }

  /// A key ends at the first `=` of `label=KEY=VALUE`.
  private static let labelKeySchema: JSON = {
    var members = ObjectReader.lineSchema(charactersMax: labelKeyCharactersMax).object ?? [:]
    members["allOf"] = [["pattern": "^[^=]*$"]]
    return .object(members)
  }()

  private func describe(to reader: ObjectReader, isPatch: Bool) {
    reader.describe(
      "name", "What the job is called; null: it has no name.",
      ["anyOf": [["type": "null"], ObjectReader.lineSchema(charactersMax: Self.nameCharactersMax)]])
    reader.describe(
      "notes", "Any text for people; null: there are none.",
      [
        "type": ["string", "null"], "maxLength": .integer(Self.notesCharactersMax),
        "pattern": .string(ByteString.plainPattern(allowsLines: true, isEmptyAllowed: true)),
      ])
    let type: JSON = isPatch ? ["string", "null"] : "string"
    var labels: [ByteString: JSON] = [
      "type": isPatch ? ["object", "null"] : "object",
      "propertyNames": Self.labelKeySchema,
      "additionalProperties": [
        "type": type, "maxLength": .integer(Self.labelValueCharactersMax),
        "pattern": .string(ByteString.plainPattern(isEmptyAllowed: true)),
      ],
    ]
    // A patch may name more, as it may remove some.
    if !isPatch { labels["maxProperties"] = .integer(Self.labelsMax) }
    let patch = " Those that are not named stay; null removes one, or all of them."
    reader.describe(
      "labels",
      "Keys of 1 to \(Self.labelKeyCharactersMax) characters and their values, at most \(Self.labelsMax), by "
        + "which lists are filtered.\(isPatch ? patch : "")", .object(labels))
  }
}
