import HTTP
import Platform

/// Answers from memory, kept by the exact bytes of the request that they were made for.
///
/// The same bytes are the same request, and as long as what the answer was made of is current they have the
/// same answer, except `Date` and `X-Request-Id`, which are written into it anew. A client's own name for its
/// request goes into the answer and changes nothing else, so requests that differ in it alone share one.
/// Nothing is parsed, routed or serialised twice for clients that ask again and again.
///
/// Used by one loop alone.
final class AnswerMemory {
  private final class Entry {
    /// The request before and behind the value of its `X-Request-Id`.
    let request: (front: [UInt8], back: [UInt8])
    let head: RequestHead
    let isCurrent: @Sendable () -> Bool
    let mayContinue: (@Sendable () -> Bool)?
    let status: Int
    let keepsAlive: Bool
    /// Head and body of the answer before and behind the value of its `X-Request-Id`.
    var front: [UInt8]
    let back: [UInt8]
    /// Where the value of `Date` begins in `front`.
    let dateOffset: Int
    /// The time that `front` says.
    private var unixSeconds = 0

    init(
      _ request: NamedRequest, _ head: RequestHead, _ answer: InstantAnswer, _ bytes: [UInt8], id: Range<Int>,
      dateOffset: Int
    ) {
      self.request = (Array(request.front), Array(request.back))
      self.head = head
      isCurrent = answer.isCurrent
      mayContinue = answer.answer.mayContinue
      status = answer.answer.status
      keepsAlive = answer.answer.keepsAlive
      front = Array(bytes[..<id.lowerBound])
      back = Array(bytes[id.upperBound...])
      self.dateOffset = dateOffset
    }

    var bytesTotal: Int { front.count + back.count }

    func isFor(_ other: NamedRequest) -> Bool {
      request.front[...] == other.front && request.back[...] == other.back
    }

    func setDate(_ date: (unixSeconds: Int, text: String)) {
      if date.unixSeconds == unixSeconds { return }
      unixSeconds = date.unixSeconds
      for (place, byte) in zip(dateOffset..., date.text.utf8) { front[place] = byte }
    }
  }

  private let responder: Responder
  /// Each request has one place, which the next with the same place takes over.
  private var entries = [Entry?](repeating: nil, count: slotCount)
  private var bytesTotal = 0

  private static let slotCount = 512
  /// What all entries may have together; beyond that all are forgotten.
  private static let bytesMax = 4 << 20
  /// A longer request is not kept.
  static let requestBytesMax = 2_048

  init(_ responder: Responder) { self.responder = responder }

  /// The answer to a request that consists of exactly these bytes, and its head.
  func answer(to request: ArraySlice<UInt8>) -> (RequestHead, Answer)? {
    guard let request = NamedRequest(request), let entry = entries[AnswerMemory.slot(request)],
      entry.isFor(request), entry.isCurrent(), entry.mayContinue?() ?? true, !responder.isLast
    else { return nil }
    entry.setDate(responder.dateNow())
    let label = RequestLabel(id: request.id ?? responder.newRequestID())
    var bytes: [UInt8] = []
    bytes.reserveCapacity(entry.bytesTotal + label.id.utf8.count)
    bytes += entry.front
    bytes += label.id.utf8
    bytes += entry.back
    let answer = Answer(
      segments: [.bytes(bytes)], stream: nil, keepsAlive: entry.keepsAlive, status: entry.status,
      label: label, mayContinue: entry.mayContinue)
    return (entry.head, answer)
  }

  /// Keeps an answer that is all bytes.
  func keep(_ answer: InstantAnswer, to request: [UInt8], _ head: RequestHead) {
    guard let request = NamedRequest(request[...]), case .bytes(let bytes)? = answer.answer.segments.first,
      answer.answer.segments.count == 1,
      let date = AnswerMemory.valueOffset(of: "Date", in: bytes),
      let id = AnswerMemory.valueOffset(of: "X-Request-Id", in: bytes), date < id
    else { return }
    let entry = Entry(
      request, head, answer, bytes, id: id..<(id + answer.answer.label.id.utf8.count), dateOffset: date)
    let slot = AnswerMemory.slot(request)
    bytesTotal += entry.bytesTotal - (entries[slot]?.bytesTotal ?? 0)
    if bytesTotal > AnswerMemory.bytesMax {
      entries = [Entry?](repeating: nil, count: AnswerMemory.slotCount)
      bytesTotal = entry.bytesTotal
    }
    entries[slot] = entry
  }

  /// Where the value of a field of the head begins.
  private static func valueOffset(of name: String, in bytes: [UInt8]) -> Int? {
    bytes.firstRange(of: Array("\r\n\(name): ".utf8))?.upperBound
  }

  /// FNV-1a over the length and the front, where requests differ.
  private static func slot(_ request: NamedRequest) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(request.front.count + request.back.count)
    for byte in request.front.prefix(hashedBytes) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int((hash ^ hash >> 32) % UInt64(slotCount))
  }

  private static let hashedBytes = 256
}

/// An answer from memory, and whether what it was made of is still so.
struct InstantAnswer {
  let answer: Answer
  let isCurrent: @Sendable () -> Bool
}

/// The bytes of a request, taken apart at the value of `X-Request-Id`.
private struct NamedRequest {
  /// Everything, where the client gives no name.
  let front: ArraySlice<UInt8>
  let id: String?
  let back: ArraySlice<UInt8>

  private static let fieldName = Array("x-request-id:".utf8)

  /// nil for a request whose name would not be taken, or that has two.
  init?(_ bytes: ArraySlice<UInt8>) {
    var value: Range<Int>?
    var line = bytes
    while let end = line.firstIndex(of: 0x0A) {
      line = line[(end + 1)...]
      guard line.count > Self.fieldName.count,
        zip(line, Self.fieldName).allSatisfy({ $0 == $1 || $1 >= 0x61 && $0 | 0x20 == $1 })
      else { continue }
      let rest = line.dropFirst(Self.fieldName.count).drop { $0 == 0x20 || $0 == 0x09 }
      guard value == nil, let end = rest.firstIndex(of: 0x0D) else { return nil }
      value = rest.startIndex..<end
    }
    guard let value else {
      (front, id, back) = (bytes, nil, [])
      return
    }
    guard RequestIdentifiers.isFit(bytes[value]) else { return nil }
    front = bytes[..<value.lowerBound]
    id = String(decoding: bytes[value], as: UTF8.self)
    back = bytes[value.upperBound...]
  }
}
