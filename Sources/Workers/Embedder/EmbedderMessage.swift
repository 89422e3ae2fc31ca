import JSONText
import Platform

/// What the daemon and a process that keeps an encoder say to each other: JSON, and bytes behind it.
///
/// Four bytes for the length of each, the lowest first; then both.
struct EmbedderMessage {
  var json: JSON
  var payload: [UInt8] = []

  private static let jsonBytesMax = 64 << 20
  private static let payloadBytesMax = 1 << 30

  /// Sends the message.
  ///
  /// - Throws: `SystemError`.
  func send(on channel: ByteChannel, until deadline: UInt64) throws(SystemError) {
    let text = json.utf8
    try channel.send(Self.length(text.count) + Self.length(payload.count) + text + payload, until: deadline)
  }

  /// The next message; `nil`: the other end is closed, or what it sent is not a message.
  ///
  /// - Throws: `SystemError`, also at the deadline.
  static func receive(
    from channel: ByteChannel, until deadline: UInt64? = nil
  ) throws(SystemError) -> EmbedderMessage? {
    guard let head = try channel.receive(8, until: deadline) else { return nil }
    let (jsonBytes, payloadBytes) = (length(head[..<4]), length(head[4...]))
    guard jsonBytes <= jsonBytesMax, payloadBytes <= payloadBytesMax,
      let text = try channel.receive(jsonBytes, until: deadline),
      let payload = try channel.receive(payloadBytes, until: deadline),
      // What is not JSON is not a message.
      let json = try? JSON.parse(text, limits: .none)
    else { return nil }
    return EmbedderMessage(json: json, payload: payload)
  }

  private static func length(_ count: Int) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
  }

  private static func length(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
