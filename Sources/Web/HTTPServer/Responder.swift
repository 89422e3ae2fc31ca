import HTTP
import Platform
import Synchronization

/// From a request to an answer that can be sent, on a handler's thread: everything that may block or
/// compute is done here.
final class Responder: Sendable {
  private let handler: Handler
  private let coding: ContentCoding
  private let allowedHosts: Set<String>?
  private let isStopping = Atomic<Bool>(false)
  private let date = Mutex((unixSeconds: 0, text: ""))

  init(_ configuration: ServerConfiguration, handler: @escaping Handler) {
    self.handler = handler
    coding = ContentCoding(configuration)
    allowedHosts = configuration.allowedHosts.map { Set($0.map { $0.lowercased() }) }
  }

  /// From now on every answer is the last of its connection.
  func stop() { isStopping.store(true, ordering: .relaxed) }

  /// Runs the handler. Whatever it throws becomes an answer as well.
  func answer(_ head: RequestHead, body: [UInt8]) -> Answer {
    let request = head.request(body: body)
    let response: Response
    do {
      try admit(head)
      response = try coding.encode(
        handler(request).conditioned(by: request, now: SystemClock.unixMilliseconds / 1_000), for: request)
    } catch let problem as Problem {
      response = problem.response
    } catch {
      response = Problem(status: 500).response
    }
    do {
      return try prepare(response, head)
    } catch {
      return prepareProblem(Problem(status: 500, detail: "The file to be sent is gone."), head)
    }
  }

  /// The answer to a request that could not be read, after which the connection ends.
  func refusal(_ problem: Problem) -> Answer { prepareProblem(problem, nil) }

  /// Everything that a request has to pass before any handler sees it.
  private func admit(_ head: RequestHead) throws(Problem) {
    if head.target.isSecure == true {
      throw Problem(status: 421, detail: "This connection is not one of https (RFC 9110, section 7.4).")
    }
    guard let allowedHosts, let host = head.host, !allowedHosts.contains(host) else { return }
    throw Problem(status: 421, detail: "This server does not answer for the host \(host).")
  }

  private func prepareProblem(_ problem: Problem, _ head: RequestHead?) -> Answer {
    let response = problem.response
    let serializer = ResponseSerializer(
      response, method: head?.method, minorVersion: head?.minorVersion ?? 1, keepsAlive: mayGoOn(head),
      date: dateNow())
    var bytes = serializer.head
    if serializer.framing != .none, case .bytes(let body) = response.body { bytes += body }
    return Answer(
      segments: [.bytes(bytes)], stream: nil, keepsAlive: serializer.keepsAlive, status: response.status)
  }

  private func prepare(_ response: Response, _ head: RequestHead) throws(SystemError) -> Answer {
    let serializer = ResponseSerializer(
      response, method: head.method, minorVersion: head.minorVersion, keepsAlive: mayGoOn(head),
      date: dateNow())
    var answer = Answer(
      segments: [], stream: nil, keepsAlive: serializer.keepsAlive, status: response.status)
    var first = serializer.head
    if case .stream(let stream) = response.body {
      if serializer.framing == .none {
        stream.close()
      } else {
        answer.stream = OpenStream(body: stream, isChunked: serializer.framing == .chunked)
      }
    } else if serializer.framing != .none {
      for piece in response.body.pieces {
        switch piece {
        case .bytes(let bytes): first += bytes
        case .file(let path, let offset, let count):
          if !first.isEmpty { answer.segments.append(.bytes(first)) }
          first = []
          answer.segments.append(.file(try File(path, .read), offset: offset, count: count))
        }
      }
    }
    if !first.isEmpty { answer.segments.append(.bytes(first)) }
    return answer
  }

  private func mayGoOn(_ head: RequestHead?) -> Bool {
    head?.keepsAlive == true && !isStopping.load(ordering: .relaxed)
  }

  /// The `Date` field's value, written once a second.
  private func dateNow() -> String {
    let now = SystemClock.unixMilliseconds / 1_000
    return date.withLock { date in
      if date.unixSeconds != now { date = (now, imfFixdate(unixSeconds: now)) }
      return date.text
    }
  }
}
