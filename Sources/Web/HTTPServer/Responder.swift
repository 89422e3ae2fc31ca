import HTTP
import Platform
import Synchronization

/// From a request to an answer that can be sent. What may block or compute is done on a handler's thread;
/// what is at hand in memory is answered on the loop's own.
final class Responder: Sendable {
  private let handler: Handler
  private let instant: InstantHandler
  private let admission: Admission?
  private let sink: SinkMaker
  private let limits: @Sendable (Request) -> RouteLimits
  private let coding: ContentCoding
  private let writer: AnswerWriter
  private let identifiers = RequestIdentifiers()

  init(
    _ configuration: ServerConfiguration, admission: Admission?, sink: @escaping SinkMaker,
    limits: @escaping @Sendable (Request) -> RouteLimits, instant: @escaping InstantHandler,
    handler: @escaping Handler
  ) {
    self.handler = handler
    self.instant = instant
    self.admission = admission
    self.sink = sink
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
  func limits(of request: Request) -> RouteLimits { limits(request) }

  /// The request with its name, for what follows here.
  func asked(_ head: RequestHead, of client: ClientIdentity) -> AskedRequest {
    AskedRequest(head, of: client, id: identifiers.id(of: head))
  }

  /// Whether a request's content is read, and where it goes; a refusal is the last answer of its connection.
  func admission(_ head: RequestHead, of client: ClientIdentity) -> AdmissionOutcome {
    let request = asked(head, of: client).request
    do {
      try admit(head, request)
      if let problem = admission?(request) { throw problem }
      if let limit = limits(request).body, limit.isSpooled {
        if case .length(let length) = head.framing, length > limit.bytesMax { throw limit.problem }
        return .welcome(try sink(request))
      }
      return .welcome(nil)
    } catch {
      return .refused(refusal(error as? Problem ?? Problem(status: 500), to: head, closes: true))
    }
  }

  /// Gives the next bytes of a request's content to its sink; nil, or why it does not take them.
  func store(_ bytes: [UInt8], in sink: any BodySink) -> Problem? {
    do {
      try sink.write(bytes)
      return nil
    } catch {
      return error as? Problem ?? Problem(status: 500)
    }
  }

  /// Runs the handler. Whatever it throws becomes an answer as well.
  func answer(
    _ asked: AskedRequest, body: [UInt8], sink: (any BodySink)? = nil, _ liveness: Liveness
  ) -> Outcome {
    do {
      try admit(asked.head, asked.request)
      let response = try handler(asked.request.with(body: body, sink: sink))
      if case .pending(let pending) = response.body {
        return .pending(
          PendingRequest(
            pending: pending, asked: asked, fields: response.headers, principal: response.principal,
            mayContinue: response.mayContinue))
      }
      return outcome(response, asked, liveness)
    } catch let problem as Problem {
      return outcome(problem.response, asked, liveness)
    } catch {
      return outcome(Problem(status: 500).response, asked, liveness)
    }
  }

  /// The answer to a GET or HEAD that is at hand in memory and needs no compressing; nil: a handler's thread
  /// has to see to it.
  func instantAnswer(_ asked: AskedRequest) -> InstantAnswer? {
    let (head, request) = (asked.head, asked.request)
    guard head.method == .get || head.method == .head, (try? admit(head, request)) != nil,
      let instant = instant(request)
    else { return nil }
    let encoding = EncodingRequest(instant.response, asked, coding)
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
    return .outcome(outcome(request.completed(response), request.asked, liveness))
  }

  /// A pending answer that has come and needs no compressing; nil: a handler's thread has to see to it.
  func readyAnswer(_ request: PendingRequest) -> Answer? {
    guard let response = request.pending.ready() else { return nil }
    let encoding = EncodingRequest(request.completed(response), request.asked, coding)
    return coding.isAtHand(encoding.response, for: request.asked.request) ? encode(encoding) : nil
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
    let (request, head) = (encoding.asked.request, encoding.asked.head)
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

  private func outcome(_ response: Response, _ asked: AskedRequest, _ liveness: Liveness) -> Outcome {
    let encoding = EncodingRequest(response, asked, coding)
    switch coding.effort(encoding.response, for: asked.request) {
    case .none: return .answer(encode(encoding))
    // Nothing is compressed for a client that is gone: such work is dropped.
    case .little: return liveness.isGone ? .encoding(encoding) : .answer(encode(encoding))
    case .much: return .encoding(encoding)
    }
  }

  /// Everything that a request has to pass before any handler sees it.
  private func admit(_ head: RequestHead, _ request: Request) throws(Problem) {
    if let isSecure = head.target.isSecure, isSecure != request.isSecure {
      throw Problem(
        status: 421, detail: "The target's scheme is not this connection's (RFC 9110, section 7.4).")
    }
  }
}

/// A response that the request's preconditions and ranges have been applied to, with what is needed to
/// compress and send it.
struct EncodingRequest: Sendable {
  let response: Response
  let asked: AskedRequest

  init(_ response: Response, _ asked: AskedRequest, _ coding: ContentCoding) {
    self.response = coding.conditioned(response, by: asked.request)
    self.asked = asked
  }
}
