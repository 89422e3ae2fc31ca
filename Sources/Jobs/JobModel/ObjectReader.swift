/// Everything that is wrong with an input, so that it can be repaired in one go.
package struct SpecificationProblems: Error, CustomStringConvertible {
  /// A JSON Pointer (RFC 6901) to each wrong value and a sentence that goes on after it: `must be > 0, is
  /// -1`.
  package let problems: [(pointer: String, message: String)]

  package init(_ problems: [(pointer: String, message: String)]) { self.problems = problems }

  package var description: String {
    problems.map { "\($0.pointer) \($0.message)" }.joined(separator: "; ")
  }
}

/// Where readers of one input note what is wrong.
package final class ProblemList {
  package private(set) var problems: [(pointer: String, message: String)] = []

  package init() {}

  /// Notes one problem.
  package func add(_ pointer: String, _ message: String) { problems.append((pointer, message)) }

  /// - Throws: everything that was noted, if anything was.
  package func check() throws(SpecificationProblems) {
    if !problems.isEmpty { throw SpecificationProblems(problems) }
  }
}

/// Reads the members of one JSON object into variables that hold the defaults.
///
/// A missing member leaves its variable as it is, and so does a wrong one, which is noted in the list;
/// `finish` then notes the members that nobody asked for.
package final class ObjectReader {
  package let pointer: String
  package let problems: ProblemList
  private let members: [String: JSON]
  /// Whether there is anything to read.
  package let isObject: Bool
  private var known: [String] = []
  /// The JSON Schemas of the members that were asked for, where the reader only describes.
  private var schemas: [String: JSON]?

  /// Notes a problem if the value is no object; all members are missing then.
  package init(_ value: JSON, at pointer: String, _ problems: ProblemList) {
    self.pointer = pointer
    self.problems = problems
    members = value.object ?? [:]
    isObject = value.object != nil
    if !isObject { problems.add(pointer, "must be an object, \(ObjectReader.phrase(value))") }
  }

  /// What a reading asks for, as a JSON Schema (draft 2020-12): `read` gets a reader without members.
  package static func schema(_ read: (ObjectReader) -> Void) -> JSON {
    let reader = ObjectReader([:], at: "", ProblemList())
    reader.schemas = [:]
    read(reader)
    return ["type": "object", "properties": .object(reader.schemas ?? [:]), "additionalProperties": false]
  }

  /// Whether nothing is read, and what is asked for is only described.
  package var isDescribing: Bool { schemas != nil }

  /// Notes the JSON Schema of a member, where the reader describes.
  package func describe(_ key: String, _ schema: @autoclosure () -> JSON) {
    if schemas != nil { schemas?[key] = schema() }
  }

  /// The member as it is; `nil` if it is missing.
  package func value(_ key: String) -> JSON? {
    known.append(key)
    return members[key]
  }

  /// The JSON Pointer of a member.
  package func pointer(to key: String) -> String { "\(pointer)/\(ObjectReader.escape(key))" }

  /// Notes a problem with a member, and its value.
  package func refuse(_ key: String, _ requirement: String) {
    let found = members[key].map(ObjectReader.phrase) ?? "is missing"
    problems.add(pointer(to: key), "\(requirement), \(found)")
  }

  /// Notes every member that no reading has asked for, with the nearest one that exists.
  package func finish() {
    for key in members.keys.sorted() where !known.contains(key) {
      let nearest = nearestWord(to: key, in: known) ?? ""
      problems.add(
        pointer(to: key),
        "unknown key \"\(key)\"; did you mean \"\(nearest)\"? Known here: "
          + known.sorted().joined(separator: ", "))
    }
  }

  /// How a value is told in a message: `is -1`, cut to 80 characters.
  package static func phrase(_ value: JSON) -> String {
    switch value {
    case .object: return "is an object"
    case .array(let elements) where elements.count > 16: return "is an array of \(elements.count)"
    default:
      let text = value.text
      return "is \(text.count > 80 ? "\(text.prefix(80))…" : text)"
    }
  }

  private static func escape(_ key: String) -> String {
    var escaped = ""
    for character in key.unicodeScalars {
      switch character {
      case "~": escaped += "~0"
      case "/": escaped += "~1"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}

/// The word with the fewest insertions, deletions and replacements (Levenshtein), where each character of a
/// common beginning makes up for one: `prio` means `priority`. The first of equals.
package func nearestWord(to word: String, in words: [String]) -> String? {
  func strangeness(_ other: String) -> Int {
    distance(word, other) - zip(word, other).prefix { $0 == $1 }.count
  }
  return words.min { strangeness($0) < strangeness($1) }
}

private func distance(_ a: String, _ b: String) -> Int {
  let b = Array(b.unicodeScalars.prefix(64))
  var row = Array(0...b.count)
  for (i, x) in a.unicodeScalars.prefix(64).enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let replaced = diagonal + (x == y ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}
