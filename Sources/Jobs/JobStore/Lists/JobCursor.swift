import SQLite
import Text

/// The last job of a page, by what the list is sorted by: the next page begins after that place, whatever has
/// become of the job meanwhile.
package struct JobCursor: Sendable, Equatable {
  /// Of the job, in the order of arrival.
  let sequence: Int
  /// What the job was sorted by, as text; `nil`: it had no value, or the list is sorted by arrival.
  let key: ByteString?
  /// How the list is sorted.
  private let order: JobOrder

  /// The place of a job in a list.
  init(_ job: JobRecord, _ order: JobOrder) {
    (sequence, key, self.order) = (job.sequence, order.key(of: job), order)
  }

  /// The text as clients have it: the sequence; of a list that is not sorted as usual, after a dot its order,
  /// and after another one the key in hexadecimal digits.
  package var text: String {
    if order == JobOrder() { return "\(sequence)" }
    return "\(sequence).\(order.text)\(key.map { "." + hexadecimal($0) } ?? "")"
  }

  /// Reads what `text` gives; `nil` for anything else, and for the cursor of a list with another order.
  package init?(_ text: ByteString, _ order: JobOrder) {
    let parts = text.split(0x2E, maxSplits: 2, omittingEmptySubsequences: false)
    guard let number = parts.first, let sequence = number.integer, sequence > 0, number.bytes.first != 0x2B
    else { return nil }
    guard parts.count == 1 ? order == JobOrder() : parts[1] == ByteString(order.text) else { return nil }
    var key: ByteString?
    if parts.count == 3 {
      let digits = parts[2]
      guard let bytes = bytes(hexadecimal: digits), let text = ByteString(validating: bytes) else {
        return nil
      }
      key = text
    }
    guard order.canHave(key) else { return nil }
    (self.sequence, self.key, self.order) = (sequence, key, order)
  }
}

extension JobOrder {
  /// As `sort` has it.
  fileprivate var text: String { (isDescending ? "-" : "") + field.rawValue }

  /// What a job is sorted by, as the cursor has it.
  fileprivate func key(of job: JobRecord) -> ByteString? {
    switch field {
    case .createdAt: nil
    case .startedAt: job.startedAtMilliseconds.map { ByteString("\($0)") }
    case .finishedAt: job.finishedAtMilliseconds.map { ByteString("\($0)") }
    case .name: job.labelling.name
    case .state: ByteString(job.state.rawValue)
    case .kind: ByteString(job.kind.rawValue)
    case .priority: ByteString("\(job.labelling.priority)")
    case .health: ByteString(job.health.state.rawValue)
    }
  }

  /// Whether a job may be sorted by this.
  fileprivate func canHave(_ key: ByteString?) -> Bool {
    guard let key else { return field == .createdAt || isNullable }
    return field != .createdAt && (!isNumber || key.integer != nil)
  }

  /// Whether jobs need not have a value.
  var isNullable: Bool { field == .name || field == .startedAt || field == .finishedAt }

  private var isNumber: Bool { field == .priority || field == .startedAt || field == .finishedAt }

  /// The column; that of the arrival is the caller's to know.
  var column: String? {
    switch field {
    case .createdAt: nil
    case .startedAt: "started_at_ms"
    case .finishedAt: "finished_at_ms"
    case .name, .state, .kind, .priority, .health: field.rawValue
    }
  }

  /// A cursor's key as the column has it.
  func value(_ key: ByteString) -> Value {
    isNumber ? key.integer.map(Value.integer) ?? .null : .text(key)
  }
}

private func hexadecimal(_ text: ByteString) -> String {
  text.bytes.map { byte in
    let digits = String(byte, radix: 16)
    return byte < 16 ? "0\(digits)" : digits
  }.joined()
}

/// The bytes that pairs of lower-case hexadecimal digits stand for.
private func bytes(hexadecimal digits: ByteString) -> [UInt8]? {
  let values = digits.bytes.map { byte -> UInt8? in
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }.compactMap(\.self)
  guard values.count == digits.count, values.count % 2 == 0 else { return nil }
  return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
}
