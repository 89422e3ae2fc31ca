/// A time as IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
///
/// - Parameter unixSeconds: seconds since 1970-01-01 00:00 UTC without leap seconds. A time outside the years
///   0 to 9999, for which the form has no words, is written as the nearest one inside.
package func imfFixdate(unixSeconds: Int) -> String {
  let writable = min(max(unixSeconds, fixdateSeconds.lowerBound), fixdateSeconds.upperBound)
  let second = (writable % 86_400 + 86_400) % 86_400
  let days = (writable - second) / 86_400
  let (year, month, day) = civilDate(daysSinceEpoch: days)
  let weekday = weekdays[((days + 4) % 7 + 7) % 7]
  let clock = [second / 3_600, second / 60 % 60, second % 60].map(twoDigits).joined(separator: ":")
  let fourDigits = twoDigits(year / 100) + twoDigits(year % 100)
  return "\(weekday), \(twoDigits(day)) \(months[month - 1]) \(fourDigits) \(clock) GMT"
}

/// The value of `Last-Modified` for something that was changed at a time; nil for a time that the field
/// cannot carry: outside the years 0 to 9999, or in the future (RFC 9110, section 8.8.2.1).
package func lastModified(unixSeconds: Int, nowUnixSeconds: Int) -> String? {
  guard fixdateSeconds.contains(unixSeconds), unixSeconds <= nowUnixSeconds else { return nil }
  return imfFixdate(unixSeconds: unixSeconds)
}

/// The years 0 to 9999.
private let fixdateSeconds = -62_167_219_200...253_402_300_799

/// The Unix time of an HTTP-date in any of its three forms (RFC 9110, section 5.6.7); nil for anything else.
///
///     IMF-fixdate   Sun, 06 Nov 1994 08:49:37 GMT
///     rfc850-date   Sunday, 06-Nov-94 08:49:37 GMT
///     asctime-date  Sun Nov  6 08:49:37 1994
package func unixSeconds(httpDate text: String) -> Int? {
  let parts = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
  let yearDigits = text.contains("-") ? 2 : 4
  let order: (day: Int, month: Int, year: Int, clock: Int)
  switch (parts.count, text.utf8.count, yearDigits) {
  case (6, 29, 4), (6, 30...33, 2): order = (1, 2, 3, 4)
  case (5, 24, 4): order = (2, 1, 4, 3)
  default: return nil
  }
  let clock = parts[order.clock].split(separator: ":", omittingEmptySubsequences: false)
  let times = clock.compactMap { digits(String($0), 2) }
  guard parts.count == 5 || parts[5] == "GMT", clock.count == 3, times.count == 3,
    let month = months.firstIndex(of: parts[order.month]),
    let day = digits(parts[order.day], parts[order.day].utf8.count), (1...31).contains(day),
    let year = digits(parts[order.year], yearDigits), times[0] < 24, times[1] < 60, times[2] < 61
  else { return nil }
  // Two digits are a year that is not far ahead (RFC 9110 says 50 years).
  let century = yearDigits == 4 ? 0 : year > 76 ? 1900 : 2000
  let days = daysSinceEpoch(century + year, month + 1, day)
  return ((days * 24 + times[0]) * 60 + times[1]) * 60 + times[2]
}

/// So many ASCII digits as a number.
private func digits(_ text: String, _ count: Int) -> Int? {
  text.utf8.count == count && count <= 4 ? Grammar.decimal(text.utf8) : nil
}

/// The inverse of `civilDate` (Howard Hinnant, days_from_civil).
private func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
  let marchYear = month <= 2 ? year - 1 : year
  let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
  let yearOfEra = marchYear - era * 400
  let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

private let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
private let months = [
  "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
]

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// The proleptic Gregorian date of a day (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// civil_from_days): years begin in March, so that the leap day is the last.
private func civilDate(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
  let shifted = daysSinceEpoch + 719_468
  let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let marchMonth = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
  let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}
