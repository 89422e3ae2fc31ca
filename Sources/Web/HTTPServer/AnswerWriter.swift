import HTTP
import Platform
import Synchronization
import Text

/// Writes the head of every answer and opens the files of its body. All answers pass here, so what every one
/// of them has is added here: the request's name, the date and the security fields.
final class AnswerWriter: Sendable {
  private let security: SecurityFields
  private let isStopping = Atomic<Bool>(false)
  private let date = Mutex((unixSeconds: 0, text: ""))

  /// A body of more bytes is sent from where it is, not copied behind the head.
  private static let copiedBytesMax = 64 << 10

  init(_ configuration: ServerConfiguration) {
    security = SecurityFields(isSecure: configuration.tls != nil, hstsSeconds: configuration.hstsSeconds)
  }

  /// From now on every answer is the last of its connection.
  func stop() { isStopping.store(true, ordering: .relaxed) }

  /// Whether the answers now are the last of their connections.
  var isLast: Bool { isStopping.load(ordering: .relaxed) }

  /// The answer that carries a problem.
  ///
  /// - Parameters:
  ///   - head: nil for a request that could not be read, which ends the connection.
  ///   - isLast: whether this answer ends the connection in any case.
  func problem(
    _ problem: Problem, _ head: RequestHead?, _ label: RequestLabel, isLast: Bool = false
  ) -> Answer {
    let response = problem.response
    var (answer, first, framing) = begin(response, head, label, isLast: isLast)
    if framing != .none, case .bytes(let body) = response.body { first += body }
    answer.segments = [.bytes(first)]
    return answer
  }

  /// The answer ready to be sent.
  ///
  /// - Throws: `SystemError` when a file of the body cannot be opened.
  func answer(_ response: Response, _ head: RequestHead, _ label: RequestLabel) throws(SystemError) -> Answer
  {
    var (answer, first, framing) = begin(response, head, label)
    answer.mayContinue = response.mayContinue
    if case .stream(let stream) = response.body {
      if framing == .none {
        stream.close()
      } else {
        answer.stream = OpenStream(body: stream, isChunked: framing == .chunked)
      }
    } else if framing != .none {
      // The ranges of one file share one descriptor.
      var files: [ByteString: File] = [:]
      for piece in response.body.pieces {
        switch piece {
        case .bytes(let bytes) where bytes.count <= AnswerWriter.copiedBytesMax: first += bytes
        case .bytes(let bytes):
          if !first.isEmpty { answer.segments.append(.bytes(first)) }
          first = []
          answer.segments.append(.bytes(bytes))
        case .file(let path, let offset, let count):
          if !first.isEmpty { answer.segments.append(.bytes(first)) }
          first = []
          let file: File
          if let known = files[ByteString(path)] { file = known } else { file = try File(path, .read) }
          files[ByteString(path)] = file
          answer.segments.append(.file(file, offset: offset, count: count))
        }
      }
    }
    if !first.isEmpty { answer.segments.append(.bytes(first)) }
    return answer
  }

  /// The answer without its body, the bytes of its head, and how the body has to follow.
  private func begin(
    _ response: Response, _ head: RequestHead?, _ label: RequestLabel, isLast ends: Bool = false
  ) -> (Answer, [UInt8], ResponseSerializer.Framing) {
    var response = response
    response.headers.set("X-Request-Id", label.id)
    security.add(to: &response.headers, status: response.status)
    let serializer = ResponseSerializer(
      response, method: head?.method, minorVersion: head?.minorVersion ?? 1,
      keepsAlive: head?.keepsAlive == true && !isLast && !ends, date: dateNow().text)
    let answer = Answer(
      segments: [], stream: nil, keepsAlive: serializer.keepsAlive, status: response.status, label: label)
    return (answer, serializer.head, serializer.framing)
  }

  /// The time and the `Date` field's value for it, written once a second.
  func dateNow() -> (unixSeconds: Int, text: String) {
    let now = SystemClock.unixMilliseconds / 1_000
    return date.withLock { date in
      if date.unixSeconds != now { date = (now, imfFixdate(unixSeconds: now)) }
      return date
    }
  }
}
