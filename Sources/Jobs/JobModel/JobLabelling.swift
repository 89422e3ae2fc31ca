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
  package static let priorityMax = 100

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
  package mutating func read(_ reader: ObjectReader) { Self.fields.read(reader, into: &self) }

  /// Applies a merge patch (RFC 7396): what is missing stays unchanged, in `labels` too; `null` removes a
  /// label, the name, the notes or all labels, and brings the priority back to the default.
  ///
  /// - Throws: `SpecificationProblems` for a patch with anything wrong in it.
  package mutating func merge(patch: JSON) throws(SpecificationProblems) {
    let problems = ProblemList()
    let reader = ObjectReader(patch, at: "", problems)
    Self.patchFields.read(reader, into: &self)
    reader.finish()
    try problems.check()
  }

  /// What a request for a new job may say of them, as the members of a JSON Schema.
  package static let schemas = fields.properties(defaults: JobLabelling())

  /// What a merge patch may have, as the members of a JSON Schema.
  package static let patchSchemas = patchFields.properties(defaults: nil)

  private static let fields = table(isPatch: false)
  private static let patchFields = table(isPatch: true)

  private static func table(isPatch: Bool) -> Fields<JobLabelling> {
    let order = "Jobs with a higher priority begin first; of the same priority, the oldest."
    let patch = " Those that are not named stay; null removes one, or all of them."
    return Fields {
      Field(
        "name", \.name, .lineOrNull(charactersMax: nameCharactersMax),
        "What the job is called; null: it has no name.")
      Field("notes", \.notes, .notes, "Any text for people; null: there are none.")
      Field(
        "labels", \.labels, .labels(isPatch: isPatch),
        "Keys of 1 to \(labelKeyCharactersMax) characters and their values, at most \(labelsMax), by which "
          + "lists are filtered.\(isPatch ? patch : "")")
      Field(
        "priority", \.priority, isPatch ? .integer(0...100, orNullFor: priorityDefault) : .integer(0...100),
        isPatch ? "\(order) null: \(priorityDefault)." : order)
    }
  }
}

extension Form where Value == ByteString? {
  /// Any plain text, with line ends and tabs, or `null`.
  fileprivate static var notes: Form {
    let charactersMax = JobLabelling.notesCharactersMax
    return Form(
      schema: [
        "type": ["string", "null"], "maxLength": .integer(charactersMax),
        "pattern": .string(ByteString.plainPattern(allowsLines: true, isEmptyAllowed: true)),
      ],
      requirement: { _ in
        "must be null or a string of at most \(charactersMax) characters \(ByteString.plainPhrase), "
          + "line ends and tabs excepted"
      },
      parse: { value in
        value.orNull {
          $0.string.flatMap {
            $0.charactersCount <= charactersMax && $0.isPlain(allowsLines: true) ? $0 : nil
          }
        }
      }, json: { .optional($0) })
  }
}

extension Form where Value == Int {
  /// A whole number, or `null` for another one.
  fileprivate static func integer(_ range: ClosedRange<Int>, orNullFor absent: Int) -> Form {
    let form = Form<Int?>.integerOrNull(range)
    return Form(
      schema: { form.schema($0) },
      read: { value, key, reader, number in
        var given: Int? = number
        form.read(value, key, reader, &given)
        number = given ?? absent
      }, json: JSON.integer, write: { JSON.integer($0).write(to: &$1) })
  }
}

extension Form where Value == [ByteString: ByteString] {
  /// Keys and their values. A patch changes those that it names, and `null` removes one or all.
  fileprivate static func labels(isPatch: Bool) -> Form {
    @Sendable func json(_ labels: Value) -> JSON { .object(labels.mapValues { .string($0) }) }
    let schema = schema(isPatch: isPatch)
    return Form(
      schema: { $0.map { schema.withDefault(json($0)) } ?? schema },
      read: { value, key, reader, labels in
        if isPatch, value.isNull {
          labels = [:]
        } else if let members = value.object {
          read(members, reader, at: reader.pointer(to: key), isPatch: isPatch, into: &labels)
        } else {
          reader.refuse(key, "must be an object of strings\(isPatch ? ", or null" : "")")
        }
      }, json: json, write: { json($0).write(to: &$1) })
  }

  private static func read(
    _ members: [ByteString: JSON], _ reader: ObjectReader, at pointer: String, isPatch: Bool,
    into labels: inout Value
  ) {
    var result = isPatch ? labels : [:]
    for (key, value) in members.sorted(by: { $0.key < $1.key }) {
      if let problem = problem(withKey: key, value, isPatch: isPatch) {
        reader.problems.add(ObjectReader.pointer(to: key, in: pointer), problem)
      } else {
        result[key] = value.string
      }
    }
    if result.count > JobLabelling.labelsMax {
      reader.problems.add(pointer, "must be at most \(JobLabelling.labelsMax) labels, got \(result.count)")
    } else {
      labels = result
    }
  }

  /// What is wrong with a label; nil: nothing.
  private static func problem(withKey key: ByteString, _ value: JSON, isPatch: Bool) -> String? {
    if key.bytes.contains(UInt8(ascii: "=")) {
      return "the label's key must be without =, which ends it in label=KEY=VALUE, got \"\(key.shown)\""
    }
    if !key.isLine(charactersMax: JobLabelling.labelKeyCharactersMax) {
      return "the label's key \(JSON.lineRequirement(charactersMax: JobLabelling.labelKeyCharactersMax)), "
        + "got \"\(key.shown)\""
    }
    let charactersMax = JobLabelling.labelValueCharactersMax
    if let text = value.string, text.charactersCount <= charactersMax, text.isPlain() { return nil }
    if isPatch, value.isNull { return nil }
    let kinds = isPatch ? "null or " : ""
    return "the label \"\(key.shown)\" must be \(kinds)a string of at most \(charactersMax) characters "
      + "\(ByteString.plainPhrase), \(value.phrase)"
  }

  private static func schema(isPatch: Bool) -> JSON {
    let type: JSON = isPatch ? ["string", "null"] : "string"
    // A key ends at the first `=` of `label=KEY=VALUE`.
    var names = JSON.lineSchema(charactersMax: JobLabelling.labelKeyCharactersMax).object ?? [:]
    names["allOf"] = [["pattern": "^[^=]*$"]]
    var labels: [ByteString: JSON] = [
      "type": isPatch ? ["object", "null"] : "object",
      "propertyNames": .object(names),
      "additionalProperties": [
        "type": type, "maxLength": .integer(JobLabelling.labelValueCharactersMax),
        "pattern": .string(ByteString.plainPattern(isEmptyAllowed: true)),
      ],
    ]
    // A patch may name more, as it may remove some.
    if !isPatch { labels["maxProperties"] = .integer(JobLabelling.labelsMax) }
    return .object(labels)
  }
}
