import Glibc

/// The two clocks: one to measure durations by, one to tell the time.
package enum SystemClock {
  /// Nanoseconds since an arbitrary start; never goes back (`CLOCK_MONOTONIC`).
  package static var monotonicNanoseconds: UInt64 { read(CLOCK_MONOTONIC) }

  /// Milliseconds since 1970-01-01 UTC; jumps when somebody sets the clock.
  package static var unixMilliseconds: Int { Int(read(CLOCK_REALTIME) / 1_000_000) }

  /// `2026-11-24T02:29:00.123Z` (RFC 3339) of a Unix time in milliseconds.
  package static func rfc3339(unixMilliseconds: Int) -> String {
    var seconds = time_t(unixMilliseconds / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ value: Int, _ width: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    let date = [
      digits(Int(parts.tm_year) + 1900, 4), digits(Int(parts.tm_mon) + 1, 2), digits(Int(parts.tm_mday), 2),
    ].joined(separator: "-")
    let time = [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)].map { digits($0, 2) }
    return "\(date)T\(time.joined(separator: ":")).\(digits(unixMilliseconds % 1000, 3))Z"
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
