import Platform

/// The address that `--host` names. Its form is checked before anything is made of it: no name is looked up,
/// and no rule about who could reach the daemon is applied to something that is not an address.
struct HostAddress: Sendable {
  /// As the kernel writes it, without brackets.
  let text: String

  /// `nil` for what is neither an IP address nor `localhost`.
  init?(_ value: String) {
    if value == "localhost" {
      text = value
      return
    }
    let isBracketed = value.hasPrefix("[") && value.hasSuffix("]")
    let address = isBracketed ? String(value.dropFirst().dropLast()) : value
    guard IPAddress.isIPv6(address) || !isBracketed && IPAddress.isIPv4(address),
      let canonical = IPAddress.canonical(address)
    else { return nil }
    text = canonical
  }

  /// What a value must be.
  static let allowed = "an IPv4 address such as 127.0.0.1, an IPv6 address such as ::1 or [::1], or localhost"

  /// What may have been meant by a value that is not an address.
  static func hint(for value: String) -> String {
    if value == "*" || value == "0" {
      "; 0.0.0.0 or :: listens on every address"
    } else if value.contains("%") {
      "; an address with a zone (%) is not supported"
    } else if value.hasPrefix("unix:") || value.contains("/") {
      "; only TCP is supported: no URL, and no path of a socket"
    } else if hasPort(value) {
      "; the port is given by --port"
    } else {
      ""
    }
  }

  /// Whether what stands before the last colon is an address, or a name without a colon.
  private static func hasPort(_ value: String) -> Bool {
    guard let colon = value.lastIndex(of: ":"), value[colon...].dropFirst().allSatisfy(\.isNumber) else {
      return false
    }
    let host = value[..<colon]
    return HostAddress(String(host)) != nil || !host.contains(":")
  }

  /// Whether only this machine reaches the address.
  var isLoopback: Bool {
    text == "localhost" || text == "::1" || IPAddress.isIPv4(text) && text.hasPrefix("127.")
  }

  /// As it stands in a URL.
  var urlText: String { text.contains(":") ? "[\(text)]" : text }
}
