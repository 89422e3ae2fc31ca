/// A time as IMF-fixdate, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
///
/// - Parameter unixSeconds: seconds since 1970-01-01 00:00 UTC without leap seconds, from year 0 to 9999.
package func imfFixdate(unixSeconds: Int) -> String {
  let days = Int((Double(unixSeconds) / 86_400).rounded(.down))
  let second = unixSeconds - days * 86_400
  let (year, month, day) = civilDate(daysSinceEpoch: days)
  let weekday = weekdays[((days + 4) % 7 + 7) % 7]
  let clock = [second / 3_600, second / 60 % 60, second % 60].map(twoDigits).joined(separator: ":")
  let fourDigits = twoDigits(year / 100) + twoDigits(year % 100)
  return "\(weekday), \(twoDigits(day)) \(months[month - 1]) \(fourDigits) \(clock) GMT"
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
