import Glibc

/// IP addresses as text.
package enum IPAddress {
  /// Whether a text is an IPv4 address of four decimal numbers without leading zeros; other forms that some
  /// programs take, such as `0x7f.1`, are not.
  package static func isIPv4(_ text: String) -> Bool {
    var four = in_addr()
    return inet_pton(AF_INET, text, &four) == 1
  }

  /// Whether a text is an IPv6 address, without brackets and zone (RFC 4291, section 2.2).
  package static func isIPv6(_ text: String) -> Bool {
    var six = in6_addr()
    return inet_pton(AF_INET6, text, &six) == 1
  }

  /// The one text of an address that the kernel writes: `::1` for `0:0:0:0:0:0:0:1`; nil for a text that is
  /// not an address.
  package static func canonical(_ text: String) -> String? {
    // The port plays no part in the text.
    (try? SocketAddress(host: text, port: 0))?.host
  }

  /// What one client has as a rule: an IPv4 address, also one that is written as IPv6 (RFC 4291, section
  /// 2.5.5.2), or the /64 of an IPv6 address (RFC 4291, section 2.5.1), out of which a host may take any.
  ///
  /// - Returns: two addresses of one client give the same text; a text that is no address gives itself.
  package static func network(of address: String) -> String {
    guard address.utf8.contains(UInt8(ascii: ":")) else { return address }
    var six = in6_addr()
    guard inet_pton(AF_INET6, address, &six) == 1 else { return address }
    let bytes = withUnsafeBytes(of: six) { Array($0) }
    let mappedPrefix: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
    if bytes.starts(with: mappedPrefix) { return bytes[12...].map { String($0) }.joined(separator: ".") }
    let groups = stride(from: 0, to: 8, by: 2).map {
      String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
    }
    return "\(groups.joined(separator: ":"))::/64"
  }
}
