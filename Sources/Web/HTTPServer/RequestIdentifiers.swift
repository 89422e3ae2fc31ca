import HTTP
import Synchronization

/// A name for each request, by which a log line and an answer are known to belong together.
final class RequestIdentifiers: Sendable {
  private let life = RequestIdentifiers.digits(UInt64.random(in: .min ... .max), count: 6)
  private let count = Atomic<UInt64>(0)

  /// The client's own `X-Request-Id` where it is 1 to 128 letters, digits and `-._~`; else a new one.
  func id(of head: RequestHead?) -> String {
    if let given = head?.headers["X-Request-Id"], RequestIdentifiers.isFit(given.bytes) {
      return given.string
    }
    return new()
  }

  /// Whether a client's own name for its request is taken.
  static func isFit(_ id: some Collection<UInt8>) -> Bool {
    (1...128).contains(id.count) && id.allSatisfy(isAllowed)
  }

  /// A new name of fifteen characters: one part of this life of the server, one of the request.
  func new() -> String {
    "\(life)-\(RequestIdentifiers.digits(count.add(1, ordering: .relaxed).newValue, count: 8))"
  }

  /// The last so many digits of a number to the base 36.
  private static func digits(_ number: UInt64, count: Int) -> String {
    let text = String(number, radix: 36)
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text.suffix(count)
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
    default: false
    }
  }
}
