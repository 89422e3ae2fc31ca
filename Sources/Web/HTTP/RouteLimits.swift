/// What a request may take of the server, as its route says.
package struct RouteLimits: Sendable {
  /// How much work it is.
  package var weight: RouteWeight
  /// How much content it may have; nil: as much as the server takes of any request.
  package var body: BodyLimit?

  package init(weight: RouteWeight = .light, body: BodyLimit? = nil) {
    self.weight = weight
    self.body = body
  }
}

/// How much work a request is for a handler. Heavy requests never take every thread, so light ones always get
/// one.
package enum RouteWeight: Sendable {
  /// A look or a change of a few rows: well under a millisecond.
  case light
  /// Reads or computes much.
  case heavy
}

/// How much content the requests of some routes may have, and what the limit is called.
package struct BodyLimit: Sendable, Equatable {
  /// As the settings and the answer over the limit name it.
  package let name: String
  package let bytesMax: Int
  /// Whether the content goes to a `BodySink` as it comes: then the server's limit for content in memory does
  /// not hold.
  package let isSpooled: Bool

  package init(name: String, bytesMax: Int, isSpooled: Bool = false) {
    self.name = name
    self.bytesMax = bytesMax
    self.isSpooled = isSpooled
  }

  /// 413.
  package var problem: Problem {
    Problem(
      status: 413,
      detail:
        "The request's body must have at most \(bytesMax) bytes, which is the limit \(name) of this route.")
  }
}
