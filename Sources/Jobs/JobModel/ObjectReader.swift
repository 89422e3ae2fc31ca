import JSONText
import Text

/// Reads the members of one JSON object into variables that hold the defaults.
///
/// A missing member leaves its variable unchanged, and so does a wrong one, which is noted in the list;
/// `finish` then notes the members that no reading has asked for.
package final class ObjectReader {
  package let pointer: String
  package let problems: ProblemList
  private let members: [ByteString: JSON]
  /// Whether there is anything to read.
  package let isObject: Bool
  private var known: [ByteString] = []
  /// Where keys belong that are unknown here; nil where nothing else could be meant.
  let places: KeyPlaces?
  /// The JSON Schemas of the members that were asked for, where the reader only describes.
  private var schemas: [ByteString: JSON]?

  /// A longer key is an unknown one, and no key is looked for that it could mean.
  package static let keyBytesMax = 256

  /// Notes a problem if the value is not an object; all members are missing then.
  package init(_ value: JSON, at pointer: String, _ problems: ProblemList, places: KeyPlaces? = nil) {
    self.pointer = pointer
    self.problems = problems
    self.places = places
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
  ///
  /// - Parameter description: what the member means, with its unit; goes before the schema's own.
  package func describe(_ key: ByteString, _ description: String, _ schema: @autoclosure () -> JSON) {
    if schemas != nil { schemas?[key] = ObjectReader.described(description, schema()) }
  }

  /// A schema with a description before its own.
  package static func described(_ description: String, _ schema: JSON) -> JSON {
    guard case .object(var members) = schema else { return schema }
    let own = members["description"]?.string.map { " \($0)" } ?? ""
    members["description"] = .string("\(description)\(own)")
    return .object(members)
  }

  /// The member; `nil` if it is missing.
  package func value(_ key: ByteString) -> JSON? {
    known.append(key)
    return members[key]
  }

  /// The JSON Pointer (RFC 6901) of a member. Of a key from outside it has what `ByteString.shown` gives.
  package func pointer(to key: ByteString) -> String { ObjectReader.pointer(to: key, in: pointer) }

  /// The JSON Pointer of a member of what another one points to.
  package static func pointer(to key: ByteString, in pointer: String) -> String {
    "\(pointer)/\(escape(key.shown))"
  }

  /// Notes a problem with a member, and its value.
  package func refuse(_ key: ByteString, _ requirement: @autoclosure () -> String) {
    problems.add(
      pointer(to: key),
      "\(requirement())\(members[key].map { ", \(ObjectReader.phrase($0))" } ?? "; it is missing")")
  }

  /// Notes every member that no reading has asked for, with what may have been meant.
  package func finish() {
    let asked = Set(known)
    let unknown = members.keys.filter { !asked.contains($0) }
    if unknown.isEmpty { return }
    let short = unknown.filter { $0.count <= ObjectReader.keyBytesMax }.sorted()
    let long = unknown.filter { $0.count > ObjectReader.keyBytesMax }.map { ByteString($0.shown) }.sorted()
    for key in short { problems.add(pointer(to: key), message(unknown: key)) }
    for key in long {
      problems.add(
        pointer(to: key), "unknown key \"\(key)\"; a key has at most \(ObjectReader.keyBytesMax) bytes")
    }
  }

  /// What is said of a key that is not known, and, once for each kind of object, which keys are.
  private func message(unknown key: ByteString) -> String {
    var message = "unknown key \"\(key.shown)\""
    let elsewhere = places?.phrase(for: key)
    if let meant = elsewhere ?? nearestWord(to: key, in: known).map({ "\"\($0)\"" }) {
      message += "; did you mean \(meant)?"
    }
    let words = Set(known).sorted().joined(separator: ", ")
    if problems.isFirstMention(of: words) {
      let isQuestion = message.utf8.last == 0x3F
      if words.isEmpty {
        message += isQuestion ? " No keys are allowed here." : "; no keys are allowed here"
      } else {
        message += (isQuestion ? " Known here: " : "; known here: ") + words.string
      }
    }
    return message
  }

  /// How a value is shown in a message: `got -1`, cut to 80 characters.
  package static func phrase(_ value: JSON) -> String {
    switch value {
    case .object: "got an object"
    case .array(let elements) where elements.count > 16: "got an array of \(elements.count)"
    case .string(let text): "got \"\(text.shown)\""
    default: "got \(ByteString(value.text).shown)"
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
