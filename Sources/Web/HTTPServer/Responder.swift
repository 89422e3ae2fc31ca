import HTTP
import Platform
import Synchronization

/// From a request to an answer that can be sent. What may block or compute is done on a handler's thread;
/// what is at hand in memory is answered on the loop's own.
final class Responder: Sendable {
  private let handler: Handler
  private let instant: InstantHandler
  private let admission: Admission?
  private let limits: @Sendable (Request) -> RouteLimits
  private let coding: ContentCoding
  private let writer: AnswerWriter
  private let identifiers = RequestIdentifiers()

  init(
    _ configuration: ServerConfiguration, admission: Admission?,
    limits: @escaping @Sendable (Request) -> RouteLimits, instant: @escaping InstantHandler,
    handler: @escaping Handler
  ) {
    self.handler = handler
    self.instant = instant
    self.admission = admission
    self.limits = limits
    coding = ContentCoding(configuration)
    writer = AnswerWriter(configuration)
  }

  /// From now on every answer is the last of its connection.
  func stop() { writer.stop() }

  /// Whether the answers now are the last of their connections.
  var isLast: Bool { writer.isLast }

  /// The `Date` field's value now.
  func dateNow() -> (unixSeconds: Int, text: String) { writer.dateNow() }

  /// A name for a request; all have the same length.
  func newRequestID() -> String { identifiers.new() }

  /// What came of a request.
  enum Outcome {
    case answer(Answer)
    /// The answer's body has to be compressed, which takes long.
    case encoding(EncodingRequest)
    case pending(PendingRequest)
  }

  /// What came of asking for a pending answer.
  enum Resumption {
    case outcome(Outcome)
    case idle(milliseconds: Int)
  }

  /// Whether requests with content are asked for admission by their heads.
  var asksForAdmission: Bool { admission != nil }

  /// What a request may take of the server, whoever sends it; called on a loop's thread.
  func limits(_ head: RequestHead) -> RouteLimits { limits(head.request(body: [])) }

  /// Why a request is refused before its content is read, as the last answer of its connection; nil: it is
  /// welcome.
  func admission(_ head: RequestHead, of client: ClientIdentity) -> Answer? {
    do {
      try admit(head, client)
    } catch {
      return refusal(error, to: head, closes: true)
    }
    return admission?(request(head, [], client)).map { refusal($0, to: head, closes: true) }
  }

  /// Runs the handler. Whatever it throws becomes an answer as well.
  func answer(
    _ head: RequestHead, body: [UInt8], of client: ClientIdentity, _ liveness: Liveness
  ) -> Outcome {
    let request = request(head, body, client)
    do {
      try admit(head, client)
      let response = try handler(request)
      if case .pending(let pending) = response.body {
        var bodiless = request
        bodiless.body = []
        return .pending(
          PendingRequest(
            pending: pending, request: bodiless, head: head, fields: response.headers,
            principal: response.principal, mayContinue: response.mayContinue))
      }
      return outcome(response, request, head, liveness)
    } catch let problem as Problem {
      return outcome(problem.response, request, head, liveness)
    } catch {
      return outcome(Problem(status: 500).response, request, head, liveness)
    }
  }

  /// The answer to a GET or HEAD that is at hand in memory and needs no compressing; nil: a handler's thread
  /// has to see to it.
  func instantAnswer(_ head: RequestHead, of client: ClientIdentity) -> InstantAnswer? {
    guard head.method == .get || head.method == .head, (try? admit(head, client)) != nil else { return nil }
    let request = request(head, [], client)
    guard let instant = instant(request) else { return nil }
    let encoding = EncodingRequest(instant.response, request, head, coding)
    guard coding.isAtHand(encoding.response, for: request) else { return nil }
    return InstantAnswer(answer: encode(encoding), isCurrent: instant.isCurrent)
  }

  /// Asks for an answer that was pending.
  func resume(_ request: PendingRequest, mustAnswer: Bool, _ liveness: Liveness) -> Resumption {
    let response: Response
    do {
      switch try request.pending.next(mustAnswer: mustAnswer) {
      case .idle(let milliseconds): return .idle(milliseconds: milliseconds)
      case .answer(let given): response = given
      }
    } catch {
      response = Problem(status: 500).response
    }
    return .outcome(outcome(request.completed(response), request.request, request.head, liveness))
  }

  /// A pending answer that has come and needs no compressing; nil: a handler's thread has to see to it.
  func readyAnswer(_ request: PendingRequest) -> Answer? {
    guard let response = request.pending.ready() else { return nil }
    let encoding = EncodingRequest(request.completed(response), request.request, request.head, coding)
    return coding.isAtHand(encoding.response, for: request.request) ? encode(encoding) : nil
  }

  /// The answer to a request that the server itself refuses.
  ///
  /// - Parameters:
  ///   - head: nil for a request that could not be read.
  ///   - closes: whether the connection ends with it, as its content is not read.
  func refusal(_ problem: Problem, to head: RequestHead?, closes: Bool = false) -> Answer {
    writer.problem(problem, head, RequestLabel(id: identifiers.id(of: head)), isLast: closes)
  }

  /// Compresses the body where type, size and client allow, and makes the answer ready to be sent.
  func encode(_ encoding: EncodingRequest) -> Answer {
    let (request, head) = (encoding.request, encoding.head)
    let label = RequestLabel(id: request.id, principal: encoding.response.principal)
    do {
      return try writer.answer(try coding.encode(encoding.response, for: request), head, label)
    } catch {
      if error.isExhausted {
        return writer.problem(.unavailable("No more files can be opened at the moment."), head, label)
      }
      return writer.problem(Problem(status: 500, detail: "The file to be sent is gone."), head, label)
    }
  }

  private func outcome(
    _ response: Response, _ request: Request, _ head: RequestHead, _ liveness: Liveness
  ) -> Outcome {
    let encoding = EncodingRequest(response, request, head, coding)
    switch coding.effort(encoding.response, for: request) {
    case .none: return .answer(encode(encoding))
    // Nothing is compressed for a client that is gone: such work is dropped.
    case .little: return liveness.isGone ? .encoding(encoding) : .answer(encode(encoding))
    case .much: return .encoding(encoding)
    }
  }

  private func request(_ head: RequestHead, _ body: [UInt8], _ client: ClientIdentity) -> Request {
    var request = head.request(body: body)
    request.peer = client.peer
    request.isSecure = client.isSecure
    request.id = identifiers.id(of: head)
    return request
  }

  /// Everything that a request has to pass before any handler sees it.
  private func admit(_ head: RequestHead, _ client: ClientIdentity) throws(Problem) {
    if let isSecure = head.target.isSecure, isSecure != client.isSecure {
      throw Problem(
        status: 421, detail: "The target's scheme is not this connection's (RFC 9110, section 7.4).")
    }
  }
}

/// A response that the request's preconditions and ranges have been applied to, with what is needed to
/// compress and send it.
struct EncodingRequest: Sendable {
  let response: Response
  /// Without its content, which the handler is done with.
  let request: Request
  let head: RequestHead

  init(_ response: Response, _ request: Request, _ head: RequestHead, _ coding: ContentCoding) {
    self.response = coding.conditioned(response, by: request)
    var bodiless = request
    bodiless.body = []
    self.request = bodiless
    self.head = head
  }
}
