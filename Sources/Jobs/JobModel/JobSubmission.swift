import Text

/// What a job is to do, resolved.
package enum JobSpecification: Sendable, Equatable {
  case train(TrainSpecification)
  case evaluate(EvaluateSpecification)

  package var kind: JobKind {
    switch self {
    case .train: .train
    case .evaluate: .evaluate
    }
  }

  /// Every field by name.
  package var json: JSON {
    switch self {
    case .train(let specification): specification.json
    case .evaluate(let specification): specification.json
    }
  }

  /// Reads the `spec` of a job of that kind.
  package static func parse(
    _ json: JSON, kind: JobKind, at pointer: String = ""
  ) throws(SpecificationProblems) -> JobSpecification {
    switch kind {
    case .train: .train(try TrainSpecification.parse(json, at: pointer))
    case .evaluate: .evaluate(try EvaluateSpecification.parse(json, at: pointer))
    }
  }
}

/// What a request says of a job.
package enum JobSubmission {
  /// The keys that stand next to `spec`.
  package static let keys: [ByteString] =
    (["kind", "needs", "spec"] + JobLabelling.schemas.keys + JobPolicy.schemas.keys).sorted()

  /// Where the keys of a job of that kind belong.
  package static func places(_ kind: JobKind?) -> KeyPlaces {
    switch kind {
    case .train: trainPlaces
    case .evaluate: evaluatePlaces
    case nil: anyPlaces
    }
  }

  private static let trainPlaces = places([TrainSpecification.schema])
  private static let evaluatePlaces = places([EvaluateSpecification.schema])
  private static let anyPlaces = places([TrainSpecification.schema, EvaluateSpecification.schema])

  private static func places(_ specifications: [JSON]) -> KeyPlaces {
    KeyPlaces(["properties": ["spec": ["anyOf": .array(specifications)]]])
  }
}

/// What people write on a job; it never changes what the job does.
package struct JobLabelling: Sendable, Equatable {
  /// `nil`: has none.
  package var name: ByteString?
  package var labels: [ByteString: ByteString]
  package var notes: ByteString?
  /// 0…100, higher first.
  package var priority: Int

  package static let nameBytesMax = 200
  package static let notesBytesMax = 10_000
  package static let labelsMax = 32
  package static let labelKeyBytesMax = 64
  package static let labelValueBytesMax = 256

  package init(
    name: ByteString? = nil, labels: [ByteString: ByteString] = [:], notes: ByteString? = nil,
    priority: Int = 50
  ) {
    self.name = name
    self.labels = labels
    self.notes = notes
    self.priority = priority
  }

  /// Reads `name`, `labels`, `notes` and `priority`; what is missing stays as it is.
  package mutating func read(_ reader: ObjectReader) {
    describe(to: reader)
    if let value = reader.value("name") {
      if value.isNull {
        name = nil
      } else if let text = value.string, ObjectReader.isLine(text, bytesMax: Self.nameBytesMax) {
        name = text
      } else {
        reader.refuse(
          "name", "must be null or a string of 1 to \(Self.nameBytesMax) bytes \(ByteString.plainPhrase)")
      }
    }
    if let value = reader.value("notes") {
      if value.isNull {
        notes = nil
      } else if let text = value.string, text.count <= Self.notesBytesMax, text.isPlain(allowsLines: true) {
        notes = text
      } else {
        reader.refuse(
          "notes",
          "must be null or a string of at most \(Self.notesBytesMax) bytes \(ByteString.plainPhrase), "
            + "line ends and tabs excepted")
      }
    }
    if reader.value("labels") != nil { readLabels(reader) }
    reader.integer("priority", 0...100, into: &priority)
  }

  private func describe(to reader: ObjectReader) {
    reader.describe(
      "name", ["anyOf": [["type": "null"], ObjectReader.lineSchema(bytesMax: Self.nameBytesMax)]])
    reader.describe(
      "notes",
      [
        "type": ["string", "null"], "maxLength": .integer(Self.notesBytesMax),
        "pattern": .string(ByteString.plainPattern(allowsLines: true, isEmptyAllowed: true)),
      ])
    reader.describe(
      "labels",
      [
        "type": "object", "maxProperties": .integer(Self.labelsMax),
        "propertyNames": ObjectReader.lineSchema(bytesMax: Self.labelKeyBytesMax),
        "additionalProperties": [
          "type": "string", "maxLength": .integer(Self.labelValueBytesMax),
          "pattern": .string(ByteString.plainPattern(isEmptyAllowed: true)),
        ],
      ])
  }

  /// What a request may say of them, as the members of a JSON Schema.
  package static var schemas: [ByteString: JSON] {
    let schema = ObjectReader.schema { reader in
      var labelling = JobLabelling()
      labelling.read(reader)
    }
    return schema["properties"]?.object ?? [:]
  }

  private mutating func readLabels(_ reader: ObjectReader) {
    let members = reader.value("labels")?.object ?? [:]
    let isRead = reader.value("labels")?.object != nil && members.count <= Self.labelsMax
    if isRead, members.allSatisfy({ Self.isLabel($0, $1) }) {
      labels = members.compactMapValues(\.string)
    } else {
      reader.refuse(
        "labels",
        "must be an object of at most \(Self.labelsMax) strings, keys of 1 to \(Self.labelKeyBytesMax) "
          + "bytes, values of at most \(Self.labelValueBytesMax), both \(ByteString.plainPhrase)")
    }
  }

  private static func isLabel(_ key: ByteString, _ value: JSON) -> Bool {
    guard let value = value.string, ObjectReader.isLine(key, bytesMax: labelKeyBytesMax) else { return false }
    return value.count <= labelValueBytesMax && value.isPlain()
  }
}
