import Glibc

/// The two clocks: one to measure durations by, one to tell the time.
package enum SystemClock {
  /// Nanoseconds since an arbitrary start; never goes back (`CLOCK_MONOTONIC`).
  package static var monotonicNanoseconds: UInt64 {
    let now = read(CLOCK_MONOTONIC)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }

  /// Milliseconds since 1970-01-01 UTC, from the year 0 to 9999; jumps when somebody sets the clock.
  package static var unixMilliseconds: Int {
    let now = read(CLOCK_REALTIME)
    let seconds = min(max(Int(now.tv_sec), rfc3339Range.lowerBound / 1000), rfc3339Range.upperBound / 1000)
    return seconds * 1000 + Int(now.tv_nsec) / 1_000_000
  }

  /// The times that RFC 3339 has words for, in milliseconds of Unix time: its years have four digits.
  package static let rfc3339Range = -62_167_219_200_000...253_402_300_799_999

  /// `2026-11-24T02:29:00.123Z` (RFC 3339) of a Unix time in milliseconds; one outside `rfc3339Range` is
  /// written as the nearest in it.
  package static func rfc3339(unixMilliseconds: Int) -> String {
    let time = min(max(unixMilliseconds, rfc3339Range.lowerBound), rfc3339Range.upperBound)
    let milliseconds = (time % 1000 + 1000) % 1000
    var seconds = time_t((time - milliseconds) / 1000)
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

  /// The Unix time in milliseconds of a text as `rfc3339` writes it; `nil` for any other form.
  package static func unixMilliseconds(rfc3339 bytes: some Sequence<UInt8>) -> Int? {
    let text = Array(bytes.prefix(25))
    guard text.count == 24, text[4] == 0x2D, text[7] == 0x2D, text[10] == 0x54, text[13] == 0x3A,
      text[16] == 0x3A, text[19] == 0x2E, text[23] == 0x5A
    else { return nil }
    func number(_ range: Range<Int>) -> Int? {
      var value = 0
      for byte in text[range] {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = 10 * value + Int(byte - 0x30)
      }
      return value
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      let milliseconds = number(20..<23), (1...12).contains(month), (1...31).contains(day), hour < 24,
      minute < 60, second < 61
    else { return nil }
    var parts = tm()
    parts.tm_year = Int32(year - 1900)
    parts.tm_mon = Int32(month - 1)
    parts.tm_mday = Int32(day)
    parts.tm_hour = Int32(hour)
    parts.tm_min = Int32(minute)
    parts.tm_sec = Int32(second)
    return Int(timegm(&parts)) * 1000 + milliseconds
  }

  /// The time now as RFC 3339.
  package static var rfc3339Now: String { rfc3339(unixMilliseconds: unixMilliseconds) }

  /// Blocks the calling thread.
  package static func sleep(milliseconds: Int) {
    var left = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    var rest = timespec()
    while nanosleep(&left, &rest) != 0 && errno == EINTR { left = rest }
  }

  private static func read(_ clock: clockid_t) -> timespec {
    var now = timespec()
    clock_gettime(clock, &now)
    return now
  }
}
