import HTTP
import Synchronization

/// A name for each request, by which a log line and an answer are known to belong together.
final class RequestIdentifiers: Sendable {
  private let life = String(UInt32.random(in: .min ... .max), radix: 36)
  private let count = Atomic<UInt64>(0)

  /// The client's own `X-Request-Id` where it is 1 to 128 letters, digits and `-._~`; else a new one.
  func id(of head: RequestHead?) -> String {
    if let given = head?.headers["X-Request-Id"], (1...128).contains(given.utf8.count),
      given.utf8.allSatisfy(RequestIdentifiers.isAllowed)
    {
      return given
    }
    return "\(life)-\(String(count.add(1, ordering: .relaxed).newValue, radix: 36))"
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
    default: false
    }
  }
}
