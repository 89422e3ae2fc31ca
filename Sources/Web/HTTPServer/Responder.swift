import HTTP
import Platform
import Synchronization
import Text

/// From a request to an answer that can be sent. What may block or compute is done on a handler's thread;
/// what is at hand in memory is answered on the loop's own.
final class Responder: Sendable {
  private let handler: Handler
  private let instant: InstantHandler
  private let coding: ContentCoding
  private let allowedHosts: Set<ByteString>?
  private let identifiers = RequestIdentifiers()
  private let isStopping = Atomic<Bool>(false)
  private let date = Mutex((unixSeconds: 0, text: ""))

  init(_ configuration: ServerConfiguration, instant: @escaping InstantHandler, handler: @escaping Handler) {
    self.handler = handler
    self.instant = instant
    coding = ContentCoding(configuration)
    allowedHosts = configuration.allowedHosts.map { Set($0.map { ByteString($0).lowercasedASCII }) }
  }

  /// From now on every answer is the last of its connection.
  func stop() { isStopping.store(true, ordering: .relaxed) }

  /// Whether the answers now are the last of their connections.
  var isLast: Bool { isStopping.load(ordering: .relaxed) }

  /// A name for a request; all have the same length.
  func newRequestID() -> String { identifiers.new() }

  /// What came of a request.
  enum Outcome {
    case answer(Answer)
    case pending(PendingRequest)
  }

  /// What came of asking for a pending answer.
  enum Resumption {
    case answer(Answer)
    case idle(milliseconds: Int)
  }

  /// Runs the handler. Whatever it throws becomes an answer as well.
  func answer(_ head: RequestHead, body: [UInt8], of client: ClientIdentity) -> Outcome {
    let request = request(head, body, client)
    do {
      try admit(head, client)
      let response = try handler(request)
      if case .pending(let pending) = response.body {
        return .pending(
          PendingRequest(
            pending: pending, request: request, head: head, fields: response.headers,
            principal: response.principal))
      }
      return .answer(finish(response, request, head))
    } catch let problem as Problem {
      return .answer(finish(problem.response, request, head))
    } catch {
      return .answer(finish(Problem(status: 500).response, request, head))
    }
  }

  /// The answer to a GET or HEAD that is at hand in memory and needs no compressing; nil: a handler's thread
  /// has to see to it.
  func instantAnswer(_ head: RequestHead, of client: ClientIdentity) -> InstantAnswer? {
    guard head.method == .get || head.method == .head, (try? admit(head, client)) != nil else { return nil }
    let request = request(head, [], client)
    guard let instant = instant(request), !coding.compresses(instant.response, for: request) else {
      return nil
    }
    return InstantAnswer(answer: finish(instant.response, request, head), isCurrent: instant.isCurrent)
  }

  private func request(_ head: RequestHead, _ body: [UInt8], _ client: ClientIdentity) -> Request {
    var request = head.request(body: body)
    request.peer = client.peer
    request.isSecure = client.isSecure
    request.id = identifiers.id(of: head)
    return request
  }

  /// Asks for an answer that was pending.
  func resume(_ request: PendingRequest, mustAnswer: Bool) -> Resumption {
    do {
      switch try request.pending.next(mustAnswer: mustAnswer) {
      case .idle(let milliseconds): return .idle(milliseconds: milliseconds)
      case .answer(let response): return .answer(finish(response, request))
      }
    } catch {
      return .answer(finish(Problem(status: 500).response, request))
    }
  }

  /// A pending answer that has come and needs no compressing; nil: a handler's thread has to see to it.
  func readyAnswer(_ request: PendingRequest) -> Answer? {
    guard let response = request.pending.ready(), !coding.compresses(response, for: request.request) else {
      return nil
    }
    return finish(response, request)
  }

  private func finish(_ response: Response, _ pending: PendingRequest) -> Answer {
    finish(pending.completed(response), pending.request, pending.head)
  }

  /// The answer to a request that could not be read, after which the connection ends.
  func refusal(_ problem: Problem) -> Answer {
    prepareProblem(problem, nil, RequestLabel(id: identifiers.id(of: nil)))
  }

  private func finish(_ response: Response, _ request: Request, _ head: RequestHead) -> Answer {
    let label = RequestLabel(id: request.id, principal: response.principal)
    do {
      let now = SystemClock.unixMilliseconds / 1_000
      let encoded = try coding.encode(response.conditioned(by: request, now: now), for: request)
      return try prepare(encoded, head, label)
    } catch {
      var problem = Problem(status: 500, detail: "The file to be sent is gone.")
      if error.isExhausted {
        problem = Problem(status: 503, detail: "No more files can be opened at the moment.")
        problem.headers.add("Retry-After", "1")
      }
      return prepareProblem(problem, head, label)
    }
  }

  /// Everything that a request has to pass before any handler sees it.
  private func admit(_ head: RequestHead, _ client: ClientIdentity) throws(Problem) {
    if let isSecure = head.target.isSecure, isSecure != client.isSecure {
      throw Problem(
        status: 421, detail: "The target's scheme is not this connection's (RFC 9110, section 7.4).")
    }
    guard let allowedHosts, let host = head.host, !allowedHosts.contains(host) else { return }
    throw Problem(status: 421, detail: "This server does not answer for the host \(host.shown).")
  }

  private func prepareProblem(_ problem: Problem, _ head: RequestHead?, _ label: RequestLabel) -> Answer {
    var response = problem.response
    response.headers.set("X-Request-Id", label.id)
    let serializer = ResponseSerializer(
      response, method: head?.method, minorVersion: head?.minorVersion ?? 1, keepsAlive: mayGoOn(head),
      date: dateNow())
    var bytes = serializer.head
    if serializer.framing != .none, case .bytes(let body) = response.body { bytes += body }
    return Answer(
      segments: [.bytes(bytes)], stream: nil, keepsAlive: serializer.keepsAlive, status: response.status,
      label: label)
  }

  private func prepare(
    _ response: Response, _ head: RequestHead, _ label: RequestLabel
  ) throws(SystemError) -> Answer {
    var response = response
    response.headers.set("X-Request-Id", label.id)
    let serializer = ResponseSerializer(
      response, method: head.method, minorVersion: head.minorVersion, keepsAlive: mayGoOn(head),
      date: dateNow())
    var answer = Answer(
      segments: [], stream: nil, keepsAlive: serializer.keepsAlive, status: response.status, label: label)
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
    head?.keepsAlive == true && !isLast
  }

  /// The `Date` field's value, written once a second.
  func dateNow() -> String {
    let now = SystemClock.unixMilliseconds / 1_000
    return date.withLock { date in
      if date.unixSeconds != now { date = (now, imfFixdate(unixSeconds: now)) }
      return date.text
    }
  }
}
