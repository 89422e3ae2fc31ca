import JSONText

/// Builds one line of the stream: an object whose keys stand in the order in which they were added.
struct EventLine: ~Copyable {
  private var text: String

  /// Begins with the event's name.
  init(_ event: String) { text = "{\"event\":\(JSON.string(event).text)" }

  /// Adds a member; a number that is not finite becomes `null`, as JSON has no word for it.
  mutating func add(_ key: String, _ value: JSON) { text += ",\(JSON.string(key).text):\(value.text)" }

  /// The finished object.
  consuming func finish() -> String { text + "}" }
}
