import HTTP
import Platform

/// How many requests may wait for a handler's thread.
///
/// Those of loopback addresses, which proxies share, are not held to the limit of one client but have half of
/// all places together.
struct QueueLimits: Sendable {
  private let requestsMax: Int
  private let perClientMax: Int

  init(_ configuration: ServerConfiguration) {
    requestsMax = configuration.queuedRequestsMax
    perClientMax = configuration.queuedRequestsPerClientMax
  }

  /// Why one more request of a client cannot wait; nil: it can.
  ///
  /// - Parameter lanes: where requests wait.
  func problem<Work>(
    with schedule: FairSchedule<Int, Work>, in lanes: Range<Int>, of client: ClientIdentity
  ) -> Problem? {
    guard schedule.count(in: lanes) < requestsMax else {
      return .unavailable(
        "Too many requests wait already; the limit queued_requests_max is \(requestsMax).")
    }
    let allowed = client.isLoopback ? max(perClientMax, requestsMax / 2) : perClientMax
    guard schedule.count(of: client.turnKey, in: lanes) < allowed else {
      let limit =
        client.isLoopback
        ? "half of queued_requests_max, which is \(requestsMax)"
        : "queued_requests_per_client_max, which is \(perClientMax)"
      return .unavailable("Too many requests of your address wait already; its limit is \(limit).")
    }
    return nil
  }
}
