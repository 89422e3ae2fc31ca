import HTTP
import JobStore
import Recipe

extension API {
  /// How long a client whose stream broke waits before it asks again.
  private static let retryMilliseconds = 2_000

  /// `GET /jobs/{id}/events`: how the job is, then its lines and the steps of its life in their order, from
  /// the first on or from after the one that the client has, then what comes, until its end. A client that
  /// has it all is told by 204 to stop asking.
  @Sendable
  func followJob(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let after = query.integer("after", 0...Int.max)
    try query.finish()
    let record = try record(request)
    let last = try store.lastSequence(record.id) ?? 0
    // The lines of a job that has finished are all there: a client that names none of them gets them again.
    let lost = record.state.isFinished ? 0 : last
    let start = Resumption(request, after: after, possible: 0...last, otherwise: 0, lost: lost)
    if record.state.isFinished, start.position == last, start.isResumed, !start.isLost {
      return Response(status: 204)
    }
    let (store, events) = (store, events)
    return Self.stream(
      EventStream(
        .job(record.id), .events, after: start.position, seconds: streamSeconds, hub: events, store: store
      ) {
        var greeting = start.greeting
        if let record = try store.job(record.id) {
          greeting += EventItem(state: record, at: JobMoment(store)).event
        }
        return greeting
      })
  }

  /// `GET /events`: every change of every job from now on, or from after the one that the client has.
  @Sendable
  func followAll(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let after = query.integer("after", 0...Int.max)
    try query.finish()
    let (gone, last) = try store.feedBounds()
    let start = Resumption(request, after: after, possible: gone...last, otherwise: last, lost: last)
    return Self.stream(
      EventStream(
        .everything, .events, after: start.position, seconds: streamSeconds, hub: events, store: store
      ) { start.greeting })
  }

  /// `GET /sweeps/{id}/events`: the sweep and its trials as they are, then what changes, until it ends; or
  /// what has changed since the one that the client has.
  @Sendable
  func followSweep(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let after = query.integer("after", 0...Int.max)
    try query.finish()
    let id = try request.sweepID()
    let (gone, last) = try store.feedBounds()
    guard let standing = try store.standing(ofSweep: id) else { throw JobStoreError.noSuchSweep(id) }
    let start = Resumption(request, after: after, possible: gone...last, otherwise: last, lost: last)
    let showsTrials = !start.isResumed || start.isLost
    if standing.record.state.isFinished {
      let present = start.greeting + EventItem.greeting(standing, withTrials: showsTrials)
      var response = Response(contentType: "text/event-stream", bytes: present)
      response.headers.add("Cache-Control", "no-store")
      return response
    }
    let store = store
    return Self.stream(
      EventStream(
        .sweep(id), .events, after: start.position, seconds: streamSeconds, hub: events, store: store
      ) {
        let present = try store.standing(ofSweep: id).map {
          EventItem.greeting($0, withTrials: showsTrials)
        }
        return start.greeting + (present ?? [])
      })
  }

  private static func stream(_ stream: EventStream) -> Response {
    var response = Response(body: .stream(stream))
    response.headers.add("Content-Type", "text/event-stream")
    response.headers.add("Cache-Control", "no-store")
    response.headers.add("X-Accel-Buffering", "no")
    return response
  }

  /// Where a stream begins.
  private struct Resumption: Sendable {
    /// The client has everything up to here.
    let position: Int
    /// Whether it said what it has.
    let isResumed: Bool
    /// Whether what comes behind that is not there any more, or never was.
    let isLost: Bool

    /// - Parameters:
    ///   - after: of the query; the field `Last-Event-ID`, which a browser sends by itself, counts before it.
    ///   - possible: numbers that the stream can go on from.
    ///   - standard: where it begins without a number.
    ///   - lost: where it begins with a number that is not possible.
    init(
      _ request: Request, after: Int?, possible: ClosedRange<Int>, otherwise standard: Int, lost: Int
    ) {
      let field = request.headers["Last-Event-ID"]
      let asked = field.map { $0.integer ?? -1 } ?? after
      isResumed = asked != nil
      isLost = asked.map { !possible.contains($0) } ?? false
      position = isLost ? lost : asked ?? standard
    }

    /// What the stream says first.
    var greeting: [UInt8] {
      var bytes = ServerSentEvent.retry(milliseconds: API.retryMilliseconds)
      if isLost {
        let reason = "{\"reason\":\"the events after that id are no longer kept: read the state again\"}"
        bytes += ServerSentEvent(name: "resync", data: reason).bytes(id: position)
      }
      return bytes
    }
  }
}
