import HTTP

/// Every decision about one connection, without any I/O: what came in goes in, what to do next comes out.
///
///     handshaking
///         │  ┌───────────────◄──────────────┐
///     receiving ──► answering ──► sending ──┤
///      ▲  │ │ refused               ▲  │    └──► lingering ──► closed
///      │  ▼ └───────────────────────┤  ▼            ▲
///     admitting ────────────────► pulling ⇄ pausing │
///                                      └────────────┘
///
/// A request with content is admitted by its head; nothing is read meanwhile, except where the content has
/// come together with the head. A pending answer goes from `answering` to `waiting` and back until it is
/// there. Requests that a client sends ahead wait in the parser until their turn, so answers keep their order
/// (RFC 9112, section 9.3.2).
struct ConnectionMachine {
  /// What is to be done now.
  enum Action {
    /// Give it bytes from the socket.
    case read
    /// Send from `output`.
    case send
    /// Continue the TLS handshake as soon as the socket has news.
    case handshake
    /// Ask whether the request may send its content.
    case admit(RequestHead)
    /// Give the next bytes of the content to the request's sink.
    case store([UInt8], any BodySink)
    /// Let a handler answer.
    case answer(RequestHead, body: RequestBody)
    /// Hand this back: it is the answer to the request that has just come.
    case recalled(Answer)
    /// Ask the stream for its next step.
    case pull(OpenStream)
    /// Ask for a pending answer again; whether it has to come now.
    case resume(PendingRequest, mustAnswer: Bool)
    /// Wait for a handler, or for the deadline.
    case wait
    /// Tell the client that nothing more will come.
    case shutDownWriting
    case close
  }

  /// Where a connection is.
  enum Phase {
    case handshaking
    case receiving
    /// Somebody decides by the head whether the content is read.
    case admitting
    /// The sink takes bytes of the content; nothing is read meanwhile.
    case storing
    case answering
    /// The answer is pending: it is asked for again when woken, or at the deadline.
    case waiting(PendingRequest)
    case resuming(PendingRequest)
    /// `output` is being sent; then this.
    case sending(Afterwards)
    case pulling(OpenStream)
    case pausing(OpenStream)
    /// Everything is said; what still comes in is dropped, so that a reset does not overtake the answer.
    case lingering
    case closed
  }

  /// How an answer went.
  struct Report {
    /// The request; nil if it could not be read.
    var head: RequestHead?
    var status: Int
    /// Whether the kernel has taken every byte.
    var isComplete: Bool
    var label: RequestLabel
  }

  /// What follows when `output` has been sent.
  enum Afterwards {
    case nextRequest
    case close
    case pull(OpenStream)
  }

  /// What is to be sent; the driver takes it away as the socket takes it in.
  var output = OutputQueue()
  /// When `deadlinePassed` has to be called, in nanoseconds of the monotonic clock; nil: never.
  var deadline: UInt64?
  /// The request that is being received or answered.
  var head: RequestHead?
  var phase: Phase
  var parser: RequestParser
  var body = RequestBody()
  /// How much content the request may have.
  var bodyLimit: BodyLimit?
  /// How much has come.
  var contentBytes = 0
  /// The request that is being answered, byte by byte; empty if it did not come alone and at once.
  var requestBytes: [UInt8] = []
  var inputHasEnded = false
  /// The client has not taken an answer in its time, and is not to be waited for by the kernel either.
  private(set) var hasStalled = false
  var keepsAlive = true
  var isStopping = false
  /// The status of the answer that is being sent.
  var status: Int?
  var label = RequestLabel()
  var finishedStream: OpenStream?
  var finishedPending: PendingRequest?
  var finishedSink: (any BodySink)?
  /// Whether all of the content has come, and only the sink has not taken all of it.
  var contentHasEnded = false
  /// Somebody woke the stream or the pending answer while it was being asked.
  var isWoken = false
  var report: Report?
  var wasReported = false
  /// Whether the client may still have the rest of what is being sent or waited for; nil: it may.
  var mayContinue: (@Sendable () -> Bool)?
  /// Until then a stream or a pending answer need not be asked, in nanoseconds of the monotonic clock.
  private var idleUntil: UInt64 = 0
  let timeouts: ServerConfiguration.Timeouts
  let services: Services

  /// A client that has nothing to be sent is asked for by `mayContinue` as often as this.
  private static let checkNanoseconds: UInt64 = 2_000_000_000
  /// Nothing is idle for longer without being asked.
  private static let idleMillisecondsMax = 86_400_000

  /// What the machine asks its loop for, all of it at hand without waiting.
  struct Services {
    /// The answer to a request of exactly these bytes, where that is known.
    var recall: (ArraySlice<UInt8>) -> (RequestHead, Answer)? = { _ in nil }
    /// How much content a request may have, beyond the limit of all requests.
    var bodyLimit: @Sendable (RequestHead) -> BodyLimit? = { _ in nil }
    /// Whether it is told how answers went.
    var wantsReports = true
    /// Whether requests are admitted by their heads.
    var asksForAdmission = false
    /// A share of the memory for bodies, for one of them.
    var reservation: () -> BodyReservation? = { nil }
    /// What is sent to a request that is refused here; its head, where that could be read.
    var refusal: (Problem, RequestHead?) -> Answer
  }

  /// - Parameter isSecure: whether a TLS handshake comes first.
  init(_ configuration: ServerConfiguration, now: UInt64, isSecure: Bool = false, _ services: Services) {
    timeouts = configuration.timeouts
    let bodyLimit = services.bodyLimit
    parser = RequestParser(limits: configuration.requestLimits) { bodyLimit($0)?.isSpooled ?? false }
    self.services = services
    phase = isSecure ? .handshaking : .receiving
    // A TLS handshake may take as long as a header.
    deadline = now + nanoseconds(isSecure ? timeouts.headerSeconds : timeouts.idleSeconds)
  }

  /// Whether a stream is being sent, or an answer waited for that may be long in coming. A client that has
  /// closed its half of the connection is gone as a rule, and nothing that lasts is kept up for it.
  var isLasting: Bool {
    switch phase {
    case .pulling, .pausing, .sending(.pull): true
    case .waiting(let request), .resuming(let request): !request.pending.isBrief
    default: false
    }
  }

  /// Whether it waits for a request of which nothing has come yet.
  var isIdle: Bool {
    if case .receiving = phase { return !parser.isInsideRequest && head == nil && output.isEmpty }
    return false
  }

  /// A stream that has come to its end and must be closed; given once.
  mutating func takeFinishedStream() -> OpenStream? {
    defer { finishedStream = nil }
    return finishedStream
  }

  /// A pending answer that nobody waits for any more; given once.
  mutating func takeFinishedPending() -> PendingRequest? {
    defer { finishedPending = nil }
    return finishedPending
  }

  /// The sink of a request that was given up; given once.
  mutating func takeFinishedSink() -> (any BodySink)? { finishedSink.take() }

  /// Whether an answer has been sent or given up since `takeReport` was called.
  var hasReport: Bool { wasReported }

  /// An answer that has been sent or given up, where reports are wanted; given once.
  mutating func takeReport() -> Report? {
    wasReported = false
    return report.take()
  }

  /// The next thing to do. Ask again after having done it.
  mutating func next(now: UInt64) -> Action {
    if let mayContinue, !mayContinue() { abandon() }
    while true {
      if case .closed = phase { return .close }
      if !output.isEmpty { return .send }
      switch phase {
      case .handshaking: return .handshake
      case .receiving:
        if let action = receive(now: now) { return action }
      case .admitting, .storing, .answering, .pulling, .pausing, .waiting: return .wait
      case .resuming(let request):
        phase = .answering
        deadline = nil
        isWoken = false
        return .resume(request, mustAnswer: isStopping)
      case .sending(.nextRequest):
        reportAnswer(isComplete: true)
        beginRequest(now: now)
      case .sending(.close):
        reportAnswer(isComplete: true)
        phase = inputHasEnded ? .closed : .lingering
        deadline = now + nanoseconds(timeouts.lingerSeconds)
        return inputHasEnded ? .close : .shutDownWriting
      case .sending(.pull(let stream)):
        phase = .pulling(stream)
        deadline = nil
        isWoken = false
        return .pull(stream)
      case .lingering: return inputHasEnded ? .close : .read
      case .closed: return .close
      }
    }
  }

  /// Bytes that the client sent.
  mutating func received(_ bytes: ArraySlice<UInt8>, now: UInt64) {
    if case .lingering = phase { return }
    if !parser.isInsideRequest { deadline = now + nanoseconds(timeouts.headerSeconds) }
    parser.append(bytes)
  }

  /// The client will send nothing more. It may still read: what it has asked for is answered, unless that
  /// lasts.
  mutating func inputEnded() {
    inputHasEnded = true
    if isLasting { abandon() }
  }

  /// The TLS handshake is done: requests may come.
  mutating func handshakeEnded() {
    if case .handshaking = phase { phase = .receiving }
  }

  /// It has been decided whether the request's content is read.
  mutating func admitted(_ outcome: AdmissionOutcome, now: UInt64) {
    switch (outcome, phase) {
    case (.welcome(let sink), .admitting):
      phase = .receiving
      beginContent(to: sink, now: now)
    case (.refused(let answer), .admitting): begin(answer, now: now)
    case (.welcome(let sink), _): finishedSink = sink
    case (.refused, _): break
    }
  }

  /// The sink has taken what it was given, or the reason why it does not.
  mutating func stored(_ problem: Problem?, now: UInt64) {
    guard case .storing = phase else { return }
    if let problem { return refuse(problem, now: now) }
    phase = .receiving
    deadline = now + nanoseconds(timeouts.bodySeconds)
  }

  /// The connection is of no use any more: nothing more is sent, and `next` answers `close`.
  mutating func abandon() {
    switch phase {
    case .pausing(let stream), .sending(.pull(let stream)): finishedStream = stream
    case .waiting(let request), .resuming(let request): finishedPending = request
    // While `next` of a stream runs, it is closed when the step comes back and finds the connection gone.
    default: break
    }
    reportAnswer(isComplete: false)
    output.removeAll()
    dropContent()
    mayContinue = nil
    phase = .closed
  }

  /// A handler's answer has come.
  mutating func answered(_ answer: Answer, now: UInt64) {
    guard case .answering = phase else { return }
    begin(answer, now: now)
  }

  /// The answer will come later.
  mutating func postponed(_ request: PendingRequest, milliseconds: Int, now: UInt64) {
    guard case .answering = phase else {
      finishedPending = request
      return
    }
    phase = isWoken || isStopping ? .resuming(request) : .waiting(request)
    mayContinue = request.mayContinue
    rest(milliseconds: milliseconds, now: now)
  }

  /// A stream or a pending answer has something new.
  mutating func woken() {
    switch phase {
    case .pausing(let stream): phase = .sending(.pull(stream))
    case .waiting(let request): phase = .resuming(request)
    default: isWoken = true
    }
  }

  /// The stream's step has come; nil when it failed, which the client must be able to tell from an end.
  mutating func pulled(_ step: BodyStep?, now: UInt64) {
    guard case .pulling(let stream) = phase else { return }
    switch step {
    case nil:
      finishedStream = stream
      phase = .closed
      reportAnswer(isComplete: false)
    case .bytes(let piece):
      if !piece.isEmpty { output.append(.bytes(stream.framed(piece))) }
      phase = .sending(.pull(stream))
      deadline = now + nanoseconds(timeouts.writeSeconds)
      if isStopping { end(stream, now: now) }
    case .idle(let milliseconds):
      phase = isWoken ? .sending(.pull(stream)) : .pausing(stream)
      rest(milliseconds: milliseconds, now: now)
      if isStopping { end(stream, now: now) }
    case .end: end(stream, now: now)
    }
  }

  /// So many bytes of the output are with the kernel: a client that reads on gets more time.
  mutating func sent(_ bytes: Int, now: UInt64) {
    extendDeadline(bytes, upTo: timeouts.writeSeconds, now: now)
  }

  /// The deadline is over.
  mutating func deadlinePassed(now: UInt64) {
    guard let due = deadline, due <= now else { return }
    deadline = nil
    if !output.isEmpty {
      hasStalled = true
      return abandon()
    }
    switch phase {
    case .pausing where now < idleUntil, .waiting where now < idleUntil: deadline = nextCheck(now: now)
    case .pausing(let stream): phase = .sending(.pull(stream))
    case .waiting(let request): phase = .resuming(request)
    case .receiving where parser.isInsideRequest:
      let (part, seconds) =
        head == nil ? ("header", timeouts.headerSeconds) : ("body", timeouts.bodySeconds)
      let limit = "the limit \(part)_seconds, which is \(seconds)"
      refuse(
        Problem(status: 408, detail: "The request's \(part) did not come within \(limit)."), now: now)
    default: abandon()
    }
  }

  /// Nothing is to be done for so long, unless somebody wakes the stream or the pending answer.
  private mutating func rest(milliseconds: Int, now: UInt64) {
    let milliseconds = min(max(1, milliseconds), ConnectionMachine.idleMillisecondsMax)
    idleUntil = now + UInt64(milliseconds) * 1_000_000
    deadline = nextCheck(now: now)
  }

  private func nextCheck(now: UInt64) -> UInt64 {
    mayContinue == nil ? idleUntil : min(idleUntil, now + ConnectionMachine.checkNanoseconds)
  }

  /// The server stops: what is being answered is finished, streams get their end, no request is begun.
  mutating func stop(now: UInt64) {
    isStopping = true
    switch phase {
    case .handshaking: phase = .closed
    case .receiving where !parser.isInsideRequest: phase = .closed
    case .pausing(let stream): end(stream, now: now)
    case .waiting(let request): phase = .resuming(request)
    case .sending(.nextRequest): phase = .sending(.close)
    case .sending(.pull(let stream)): end(stream, now: now)
    default: break
    }
  }
}
