/// An event of a stream (HTML, section 9.2.6).
package struct ServerSentEvent: Sendable {
  /// Without line breaks.
  package var name: String
  package var data: String

  package init(name: String, data: String) {
    self.name = name
    self.data = data
  }

  /// A comment, which keeps the connection from looking dead.
  package static let ping = Array(": ping\n\n".utf8)

  /// How long a client waits before it connects again, in milliseconds, as a field of its own.
  package static func retry(milliseconds: Int) -> [UInt8] { Array("retry: \(milliseconds)\n\n".utf8) }

  /// The event on the wire, without a number.
  package var bytes: [UInt8] { Array(text.utf8) }

  /// The event on the wire with the number that a client resumes from.
  package func bytes(id: Int) -> [UInt8] { Array("id: \(id)\n\(text)".utf8) }

  /// A word as the name of an event, as far as it is one.
  package static func name(of word: String) -> String {
    let isName = !word.isEmpty && word.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    return isName ? word : "message"
  }

  /// Each line of the data is a field of its own; CR, LF and CR LF all end lines.
  private var text: String {
    let lines = data.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
      .split(separator: "\n", omittingEmptySubsequences: false)
    return "event: \(name)\n" + lines.map { "data: \($0)\n" }.joined() + "\n"
  }
}
