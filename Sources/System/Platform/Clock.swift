import Glibc

/// The two clocks: one to measure durations by, one to tell the time.
package enum SystemClock {
  /// Nanoseconds since an arbitrary start; never goes back (`CLOCK_MONOTONIC`).
  package static var monotonicNanoseconds: UInt64 { read(CLOCK_MONOTONIC) }

  /// Milliseconds since 1970-01-01 UTC; jumps when somebody sets the clock.
  package static var unixMilliseconds: Int { Int(read(CLOCK_REALTIME) / 1_000_000) }

  /// `2026-11-24T02:29:00.123Z` (RFC 3339) of a Unix time in milliseconds.
  package static func rfc3339(unixMilliseconds: Int) -> String {
    let milliseconds = (unixMilliseconds % 1000 + 1000) % 1000
    var seconds = time_t((unixMilliseconds - milliseconds) / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var text = Array("0000-00-00T00:00:00.000Z".utf8)
    func put(_ value: Int, endingAt last: Int, _ width: Int) {
      var rest = value.magnitude
      for place in stride(from: last, to: last - width, by: -1) {
        text[place] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
      }
    }
    put(Int(parts.tm_year) + 1900, endingAt: 3, 4)
    put(Int(parts.tm_mon) + 1, endingAt: 6, 2)
    put(Int(parts.tm_mday), endingAt: 9, 2)
    put(Int(parts.tm_hour), endingAt: 12, 2)
    put(Int(parts.tm_min), endingAt: 15, 2)
    put(Int(parts.tm_sec), endingAt: 18, 2)
    put(milliseconds, endingAt: 22, 3)
    return String(decoding: text, as: UTF8.self)
  }

  /// The time now as RFC 3339.
  package static var rfc3339Now: String { rfc3339(unixMilliseconds: unixMilliseconds) }

  /// Blocks the calling thread.
  package static func sleep(milliseconds: Int) {
    var left = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    var rest = timespec()
    while nanosleep(&left, &rest) != 0 && errno == EINTR { left = rest }
  }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }
}
