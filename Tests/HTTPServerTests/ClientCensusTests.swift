import Testing

@testable import HTTPServer

@Suite struct `Client census` {
  private func client(_ peer: String) -> ClientIdentity { ClientIdentity(peer: peer, isSecure: false) }

  @Test func `holds one address to its own limit and others to the whole`() {
    var configuration = ServerConfiguration()
    configuration.connectionsMax = 5
    configuration.connectionsPerAddressMax = 2
    let census = ClientCensus.connections(configuration)
    #expect(census.enter(client("10.0.0.1"))?.status == nil)
    #expect(census.enter(client("10.0.0.1"))?.status == nil)
    #expect(
      census.enter(client("10.0.0.1"))?.detail.contains("connections_per_address_max, which is 2") == true)
    for _ in 0..<3 { #expect(census.enter(client("127.0.0.1"))?.status == nil) }
    #expect(census.enter(client("10.0.0.2"))?.detail.contains("connections_max, which is 5") == true)
    census.leave(client("10.0.0.1"))
    #expect(census.enter(client("10.0.0.1"))?.status == nil)
  }

  @Test func `takes a network of IPv6 for one address`() {
    var configuration = ServerConfiguration()
    configuration.connectionsPerAddressMax = 2
    let census = ClientCensus.connections(configuration)
    #expect(census.enter(client("2001:db8:0:1::1"))?.status == nil)
    #expect(census.enter(client("2001:db8::1:ffff:0:0:2"))?.status == nil)
    #expect(census.enter(client("2001:db8:0:1::3"))?.status == 503)
    #expect(census.enter(client("2001:db8:0:2::1"))?.status == nil)
    census.leave(client("2001:db8:0:1::1"))
    #expect(census.enter(client("2001:db8:0:1::3"))?.status == nil)
    #expect(census.enter(client("::ffff:10.0.0.1"))?.status == nil)
    #expect(census.enter(client("10.0.0.1"))?.status == nil)
    #expect(census.enter(client("10.0.0.1"))?.status == 503)
  }
}
