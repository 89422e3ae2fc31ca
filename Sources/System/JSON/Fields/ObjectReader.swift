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
  /// The keys that were asked for, in that order.
  private var known: [ByteString] = []
  /// Those of them that the object has.
  private var found: Set<ByteString> = []
  /// Where keys belong that are unknown here; nil where nothing else could be meant.
  package let places: KeyPlaces?

  /// A longer key is an unknown one, and no key is looked for that it could mean.
  package static let keyBytesMax = 256

  /// Notes a problem if the value is not an object; all members are missing then.
  package init(_ value: JSON, at pointer: String, _ problems: ProblemList, places: KeyPlaces? = nil) {
    self.pointer = pointer
    self.problems = problems
    self.places = places
    members = value.object ?? [:]
    isObject = value.object != nil
    if !isObject { problems.add(pointer, "must be an object, \(value.phrase)") }
  }

  /// The member; `nil` if it is missing.
  package func value(_ key: ByteString) -> JSON? {
    known.append(key)
    if members.isEmpty { return nil }
    guard let value = members[key] else { return nil }
    found.insert(key)
    return value
  }

  /// Reads a member into a variable.
  package func read<Value>(_ key: ByteString, _ form: Form<Value>, into field: inout Value) {
    if let value = value(key) { form.read(value, key, self, &field) }
  }

  /// Whether the object has a member that no reading has asked for.
  func isUnread(_ key: ByteString) -> Bool { members[key] != nil && !found.contains(key) }

  /// The JSON Pointer (RFC 6901) of a member. Of a key from outside it has what `ByteString.shown` gives.
  package func pointer(to key: ByteString) -> String { ObjectReader.pointer(to: key, in: pointer) }

  /// The JSON Pointer of a member of what another one points to.
  package static func pointer(to key: ByteString, in pointer: String) -> String {
    "\(pointer)/\(escape(key.shown))"
  }

  /// Notes a problem with a member, and its value.
  package func refuse(_ key: ByteString, _ requirement: @autoclosure () -> String) {
    problems.add(
      pointer(to: key), "\(requirement())\(members[key].map { ", \($0.phrase)" } ?? "; it is missing")")
  }

  /// Notes a problem with a member that does not belong to the object, and its value.
  func refuse(stranger key: ByteString, _ requirement: @autoclosure () -> String) {
    found.insert(key)
    refuse(key, requirement())
  }

  /// Notes every member that no reading has asked for, with what may have been meant.
  package func finish() {
    if found.count == members.count { return }
    let unknown = members.keys.filter { !found.contains($0) }
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

  private static func escape(_ token: String) -> String {
    var escaped = ""
    for character in token.unicodeScalars {
      switch character {
      case "~": escaped += "~0"
      case "/": escaped += "~1"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}
