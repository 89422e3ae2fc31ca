import HTTP
import Platform
import Synchronization

/// How many connections are open, over all loops, and how many of them each client network has.
final class ConnectionCensus: Sendable {
  private let connectionsMax: Int
  private let perAddressMax: Int
  private let state = Mutex((count: 0, byNetwork: [String: Int]()))

  /// Nobody is connected yet.
  init(_ configuration: ServerConfiguration) {
    connectionsMax = configuration.connectionsMax
    perAddressMax = configuration.connectionsPerAddressMax
  }

  /// Counts a connection in, or tells why it cannot stay.
  func enter(_ peer: String) -> Problem? {
    let network = IPAddress.network(of: peer)
    return state.withLock { state in
      guard state.count < connectionsMax else {
        return refusal("The server is at its limit connections_max, which is \(connectionsMax).")
      }
      if !isLoopback(peer) {
        guard state.byNetwork[network, default: 0] < perAddressMax else {
          return refusal(
            "Your address is at its limit connections_per_address_max, which is \(perAddressMax).")
        }
        state.byNetwork[network, default: 0] += 1
      }
      state.count += 1
      return nil
    }
  }

  /// Counts a connection out.
  func leave(_ peer: String) {
    let network = IPAddress.network(of: peer)
    state.withLock { state in
      state.count -= 1
      guard let count = state.byNetwork[network] else { return }
      state.byNetwork[network] = count > 1 ? count - 1 : nil
    }
  }

  private func refusal(_ detail: String) -> Problem {
    var problem = Problem(status: 503, detail: detail)
    problem.headers.add("Retry-After", "1")
    return problem
  }

  private func isLoopback(_ peer: String) -> Bool {
    peer.hasPrefix("127.") || peer == "::1" || peer.hasPrefix("::ffff:127.")
  }
}
