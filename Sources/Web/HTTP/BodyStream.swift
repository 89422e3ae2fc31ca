/// A body that is pulled: the server asks for the next piece only when the last one has left,
/// so a slow reader costs no memory.
package protocol BodyStream: AnyObject, Sendable {
  /// The next step; called on a handler thread, never twice at once for one stream.
  func next() throws -> BodyStep
  /// Called once when the client is gone or the stream has ended.
  func close()
}

/// What a stream has to give at the moment.
package enum BodyStep: Sendable {
  case bytes([UInt8])
  /// Nothing yet: ask again after so many milliseconds.
  case idle(milliseconds: Int)
  case end
}
