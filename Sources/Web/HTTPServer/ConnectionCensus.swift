import HTTP
import Synchronization

/// How many connections are open, over all loops.
final class ConnectionCensus: Sendable {
  private let connectionsMax: Int
  private let count = Mutex(0)

  init(_ configuration: ServerConfiguration) { connectionsMax = configuration.connectionsMax }

  /// Counts a connection in, or tells why it cannot stay.
  func enter(_ peer: String) -> Problem? {
    count.withLock { count in
      guard count < connectionsMax else {
        var problem = Problem(
          status: 503, detail: "The server is at its limit connections_max, which is \(connectionsMax).")
        problem.headers.add("Retry-After", "1")
        return problem
      }
      count += 1
      return nil
    }
  }

  /// Counts a connection out.
  func leave(_ peer: String) { count.withLock { $0 -= 1 } }
}
