/// The place of an answer that lasts among those that may at the same time; given back when this goes.
final class StreamPlace {
  private let census: ClientCensus
  private let client: ClientIdentity

  /// Takes over a place that `census` has counted in.
  init(_ census: ClientCensus, _ client: ClientIdentity) {
    self.census = census
    self.client = client
  }

  deinit { census.leave(client) }
}
