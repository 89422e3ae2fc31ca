import HTTP
import Synchronization
import Text

/// The hosts that requests may be for. A web page can have a name of its own lead to this daemon (DNS
/// rebinding), and then it is of the same origin for the browser; but its requests have that name in `Host`.
///
/// An IP address is always allowed: no page can have it lead elsewhere. So is `localhost`, which no resolver
/// may give away (RFC 6761, section 6.3); names below it, such as `lab.localhost`, have to be listed.
package struct HostRule: Sendable {
  /// Without ports and the dot at the end; nil: every host is allowed.
  private let names: Set<ByteString>?
  private let last = LastAllowed()

  /// Allows every host. Only for a daemon that asks for tokens, which no foreign page has.
  package static let any = HostRule(names: nil)

  private init(names: Set<ByteString>?) { self.names = names }

  /// Allows IP addresses, `localhost` and these names.
  package init(names: [ByteString]) {
    self.names = Set(names.map { HostRule.withoutFinalDot($0.lowercasedASCII) } + ["localhost"])
  }

  /// Whether a text can be a member of the list: a host without a port.
  package static func isHost(_ text: ByteString) -> Bool {
    guard let authority = Authority(text), authority.port == nil, !authority.host.isEmpty else {
      return false
    }
    return !text.hasSuffix(":") && !text.bytes.contains(UInt8(ascii: "*"))
      && (authority.isAddress || !text.hasPrefix("["))
  }

  /// 421 for a request that is for another host, or for none (RFC 9110, section 15.5.20). Only a request of
  /// HTTP/1.0 can be for none; no browser sends that, but a proxy between may.
  func problem(with request: Request) -> Problem? {
    guard let names else { return nil }
    let hint = "it answers for IP addresses, localhost and the names in --allowed-hosts"
    guard let text = request.authority, !text.isEmpty else {
      return Problem(status: 421, detail: "The request has no Host, and this daemon needs one: \(hint).")
    }
    if last.is(text) { return nil }
    if let authority = Authority(text), allows(authority, names) {
      last.set(text)
      return nil
    }
    let shown = text.shortened(toBytes: 200)
    return Problem(status: 421, detail: "This daemon does not answer for the host \"\(shown)\"; \(hint).")
  }

  private func allows(_ authority: Authority, _ names: Set<ByteString>) -> Bool {
    let host = HostRule.withoutFinalDot(authority.host)
    return authority.isAddress || names.contains(host) || Authority(host)?.isAddress == true
  }

  /// `lab.example.` is the same name as `lab.example` (RFC 1034, section 3.1).
  private static func withoutFinalDot(_ host: ByteString) -> ByteString {
    host.hasSuffix(".") ? ByteString(decoding: host.bytes.dropLast()) : host
  }
}

/// The host that was allowed last, which most requests are for: it need not be looked at again.
private final class LastAllowed: Sendable {
  private let text = Mutex<ByteString>("")

  func `is`(_ other: ByteString) -> Bool { text.withLock { $0 == other } }

  func set(_ allowed: ByteString) { text.withLock { $0 = allowed } }
}
