import Text

/// The last job of a page, by what the list is sorted by: the next page begins after that place, whatever has
/// become of the job meanwhile.
package struct JobCursor: Sendable, Equatable {
  /// Of the job, in the order of arrival.
  let sequence: Int
  /// What the job was sorted by, as text; `nil`: it had no value, or the list is sorted by arrival.
  let key: ByteString?
  /// The time of the first page, in Unix milliseconds, where values change with it; else `nil`.
  let moment: Int?
  /// How the list is sorted.
  private let order: JobOrder

  /// The place of a job in a list.
  init(sequence: Int, key: ByteString?, moment: Int, _ order: JobOrder) {
    (self.sequence, self.key, self.order) = (sequence, key, order)
    self.moment = order.isOfMoment ? moment : nil
  }

  /// The text as clients have it: the sequence; of a list that is not sorted as usual, after a dot its order,
  /// and after another one the key in hexadecimal digits, and the time if there is one.
  package var text: String {
    if order == JobOrder() { return "\(sequence)" }
    let time = moment.map { ".\($0)" } ?? ""
    return "\(sequence).\(order.text)\(key.map { "." + hexadecimal($0) } ?? "")\(time)"
  }

  /// Reads what `text` gives; `nil` for anything else, and for the cursor of a list with another order.
  package init?(_ text: ByteString, _ order: JobOrder) {
    let parts = text.split(0x2E, omittingEmptySubsequences: false)
    guard parts.count <= (order.isOfMoment ? 4 : 3), let number = parts.first, let sequence = number.integer,
      sequence > 0, number.bytes.first != 0x2B
    else { return nil }
    guard parts.count == 1 ? order == JobOrder() : parts[1] == ByteString(order.text) else { return nil }
    var key: ByteString?
    if parts.count > 2 {
      guard let bytes = bytes(hexadecimal: parts[2]), let text = ByteString(validating: bytes) else {
        return nil
      }
      key = text
    }
    let moment = parts.count > 3 ? parts[3].integer : nil
    guard order.canHave(key), (moment != nil) == order.isOfMoment else { return nil }
    (self.sequence, self.key, self.moment, self.order) = (sequence, key, moment, order)
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
