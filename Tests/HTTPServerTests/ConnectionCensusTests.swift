import Testing

@testable import HTTPServer

@Suite struct `Connection census` {
  @Test func `holds one address to its own limit and others to the whole`() {
    var configuration = ServerConfiguration()
    configuration.connectionsMax = 5
    configuration.connectionsPerAddressMax = 2
    let census = ConnectionCensus(configuration)
    #expect(census.enter("10.0.0.1")?.status == nil)
    #expect(census.enter("10.0.0.1")?.status == nil)
    #expect(census.enter("10.0.0.1")?.detail.contains("connections_per_address_max, which is 2") == true)
    for _ in 0..<3 { #expect(census.enter("127.0.0.1")?.status == nil) }
    #expect(census.enter("10.0.0.2")?.detail.contains("connections_max, which is 5") == true)
    census.leave("10.0.0.1")
    #expect(census.enter("10.0.0.1")?.status == nil)
  }
}
