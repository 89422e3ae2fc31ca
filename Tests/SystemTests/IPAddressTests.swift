import Platform
import Testing

@Suite struct `IP addresses` {
  @Test(arguments: [
    ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("::FFFF:a00:1", "10.0.0.1"),
    ("2001:db8::1", "2001:db8:0:0::/64"), ("2001:db8:0:0:ffff::", "2001:db8:0:0::/64"),
    ("2001:0DB8:0001:0002:3:4:5:6", "2001:db8:1:2::/64"), ("::1", "0:0:0:0::/64"),
    ("fe80::1%eth0", "fe80::1%eth0"),
    ("localhost", "localhost"), ("", ""), ("a:b", "a:b"),
  ])
  func `of one client have one network`(address: String, network: String) {
    #expect(IPAddress.network(of: address) == network)
  }
}
