import HTTP
import Synchronization

/// How many of something are there at once, over all loops, and how many of them each client has.
///
/// The machine's own loopback addresses, which proxies share, are only held to the limit of all.
final class ClientCensus: Sendable {
  /// A limit and the name that the answer over it tells.
  struct Limit: Sendable {
    let name: String
    let max: Int
  }

  private let all: Limit
  private let perClient: Limit
  private let state = Mutex((count: 0, byNetwork: [String: Int]()))

  /// Nobody has anything yet.
  init(all: Limit, perClient: Limit) {
    self.all = all
    self.perClient = perClient
  }

  /// The open connections.
  static func connections(_ configuration: ServerConfiguration) -> ClientCensus {
    ClientCensus(
      all: Limit(name: "connections_max", max: configuration.connectionsMax),
      perClient: Limit(name: "connections_per_address_max", max: configuration.connectionsPerAddressMax))
  }

  /// The answers that last: streams, and answers that clients wait for.
  static func streams(_ configuration: ServerConfiguration) -> ClientCensus {
    ClientCensus(
      all: Limit(name: "streams_max", max: configuration.streamsMax),
      perClient: Limit(name: "streams_per_address_max", max: configuration.streamsPerAddressMax))
  }

  /// How many there are now.
  var count: Int { state.withLock { $0.count } }

  /// Counts one in, or tells why it cannot stay.
  func enter(_ client: ClientIdentity) -> Problem? {
    state.withLock { state in
      guard state.count < all.max else {
        return .unavailable("The server is at its limit \(all.name), which is \(all.max).")
      }
      if !client.isLoopback {
        guard state.byNetwork[client.network, default: 0] < perClient.max else {
          return .unavailable("Your address is at its limit \(perClient.name), which is \(perClient.max).")
        }
        state.byNetwork[client.network, default: 0] += 1
      }
      state.count += 1
      return nil
    }
  }

  /// Counts one out.
  func leave(_ client: ClientIdentity) {
    state.withLock { state in
      state.count -= 1
      guard let count = state.byNetwork[client.network] else { return }
      state.byNetwork[client.network] = count > 1 ? count - 1 : nil
    }
  }
}
