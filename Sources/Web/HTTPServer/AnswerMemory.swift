import HTTP
import Platform

/// Answers from memory, kept by the exact bytes of the request that they were made for.
///
/// The same bytes are the same request, and as long as what the answer was made of is current they have the
/// same answer, except `Date` and `X-Request-Id`, which are written into it anew. So nothing is parsed,
/// routed or serialised twice for clients that ask again and again. Used by one loop alone.
final class AnswerMemory {
  private final class Entry {
    let request: [UInt8]
    let head: RequestHead
    let isCurrent: @Sendable () -> Bool
    let status: Int
    let keepsAlive: Bool
    /// Where the values of `Date` and `X-Request-Id` begin in `bytes`.
    let dateOffset: Int
    let idOffset: Int
    /// Head and body. They are changed in place, or in a copy where the last answer is still being sent.
    var bytes: [UInt8]
    var date = ""

    init(
      _ request: [UInt8], _ head: RequestHead, _ answer: InstantAnswer, _ bytes: [UInt8],
      dateOffset: Int, idOffset: Int
    ) {
      self.request = request
      self.head = head
      isCurrent = answer.isCurrent
      status = answer.answer.status
      keepsAlive = answer.answer.keepsAlive
      (self.dateOffset, self.idOffset) = (dateOffset, idOffset)
      self.bytes = bytes
    }

    func write(_ text: String, at offset: Int) {
      var place = offset
      for byte in text.utf8 {
        bytes[place] = byte
        place += 1
      }
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
    guard let entry = entries[AnswerMemory.slot(request)], entry.request[...] == request, entry.isCurrent(),
      !responder.isLast
    else { return nil }
    let date = responder.dateNow()
    if date != entry.date {
      entry.write(date, at: entry.dateOffset)
      entry.date = date
    }
    let label = RequestLabel(id: responder.newRequestID())
    entry.write(label.id, at: entry.idOffset)
    let answer = Answer(
      segments: [.bytes(entry.bytes)], stream: nil, keepsAlive: entry.keepsAlive, status: entry.status,
      label: label)
    return (entry.head, answer)
  }

  /// Keeps an answer that is all bytes.
  func keep(_ answer: InstantAnswer, to request: [UInt8], _ head: RequestHead) {
    // A client that names its requests gets these names back.
    guard head.headers["X-Request-Id"] == nil, case .bytes(let bytes)? = answer.answer.segments.first,
      answer.answer.segments.count == 1,
      let date = AnswerMemory.valueOffset(of: "Date", in: bytes),
      let id = AnswerMemory.valueOffset(of: "X-Request-Id", in: bytes)
    else { return }
    let slot = AnswerMemory.slot(request[...])
    bytesTotal += bytes.count - (entries[slot]?.bytes.count ?? 0)
    if bytesTotal > AnswerMemory.bytesMax {
      entries = [Entry?](repeating: nil, count: AnswerMemory.slotCount)
      bytesTotal = bytes.count
    }
    entries[slot] = Entry(request, head, answer, bytes, dateOffset: date, idOffset: id)
  }

  /// Where the value of a field of the head begins.
  private static func valueOffset(of name: String, in bytes: [UInt8]) -> Int? {
    bytes.firstRange(of: Array("\r\n\(name): ".utf8))?.upperBound
  }

  /// FNV-1a over the length and the front, where requests differ.
  private static func slot(_ request: ArraySlice<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(request.count)
    for byte in request.prefix(hashedBytes) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int((hash ^ hash >> 32) % UInt64(slotCount))
  }

  private static let hashedBytes = 256
}

/// An answer from memory, and whether what it was made of is still so.
struct InstantAnswer {
  let answer: Answer
  let isCurrent: @Sendable () -> Bool
}
