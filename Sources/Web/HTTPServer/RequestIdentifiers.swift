import HTTP
import Synchronization

/// A name for each request, by which a log line and an answer are known to belong together.
final class RequestIdentifiers: Sendable {
  private let life = RequestIdentifiers.digits(UInt64.random(in: .min ... .max), count: 6) + [0x2D]
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
    let number = count.add(1, ordering: .relaxed).newValue
    return String(decoding: life + RequestIdentifiers.digits(number, count: 8), as: UTF8.self)
  }

  /// The last so many digits of a number to the base 36.
  private static func digits(_ number: UInt64, count: Int) -> [UInt8] {
    var (rest, digits) = (number, [UInt8](repeating: 0, count: count))
    for place in digits.indices.reversed() {
      let digit = UInt8(rest % 36)
      digits[place] = digit < 10 ? 0x30 + digit : 0x61 - 10 + digit
      rest /= 36
    }
    return digits
  }

  private static func isAllowed(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
    default: false
    }
  }
}
