/// Takes the content of one request as it comes, so that content of any length needs no memory.
///
/// A sink is made when the request is admitted by its head. Its methods are called on a handler's thread, one
/// at a time. When the last reference goes without `keep` by the handler, what was written must be gone.
package protocol BodySink: AnyObject, Sendable {
  /// Takes the next bytes.
  ///
  /// - Throws: `Problem` where no more can be taken, such as 507 for want of room; the request is refused by
  ///   it.
  func write(_ bytes: [UInt8]) throws
}

/// Makes the sink of a request by its head, after everything else about the head was found right; nil: the
/// request's content is held in memory. Its `parameters` are set. Called on a handler's thread.
///
/// A `Problem` that it throws refuses the request before a byte of its content is read.
package typealias SinkMaker = @Sendable (Request) throws -> (any BodySink)?
