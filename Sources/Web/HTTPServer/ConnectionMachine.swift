import HTTP

/// Every decision about one connection, without any I/O: what came in goes in, what to do next comes out.
///
///            ┌───────────────◄──────────────┐
///     receiving ──► answering ──► sending ──┤
///         │                         ▲  │    └──► lingering ──► closed
///         │ refused                 │  ▼            ▲
///         └─────────────────────► pulling ⇄ pausing │
///                                      └────────────┘
///
/// A pending answer goes from `answering` to `waiting` and back until it is there. Requests that a client
/// sends ahead wait in the parser until their turn, so answers keep their order (RFC 9112, section 9.3.2).
struct ConnectionMachine {
  /// What is to be done now.
  enum Action {
    /// Give it bytes from the socket.
    case read
    /// Send from `output`.
    case send
    /// Let a handler answer.
    case answer(RequestHead, body: [UInt8])
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

  private enum Phase {
    case receiving
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

  private enum Afterwards {
    case nextRequest
    case close
    case pull(OpenStream)
  }

  /// What is to be sent; the driver takes it away as the socket takes it in.
  var output = OutputQueue()
  /// When `deadlinePassed` has to be called, in nanoseconds of the monotonic clock; nil: never.
  private(set) var deadline: UInt64?
  /// The request that is being received or answered.
  private(set) var head: RequestHead?
  private var phase = Phase.receiving
  private var parser: RequestParser
  private var body: [UInt8] = []
  /// The request that is being answered, byte by byte; empty if it did not come alone and at once.
  private(set) var requestBytes: [UInt8] = []
  private var inputHasEnded = false
  /// The client has not taken an answer in its time, and is not to be waited for by the kernel either.
  private(set) var hasStalled = false
  private var keepsAlive = true
  private var isStopping = false
  /// The status of the answer that is being sent.
  private var status: Int?
  private var label = RequestLabel()
  private var finishedStream: OpenStream?
  private var finishedPending: PendingRequest?
  /// Somebody woke the stream or the pending answer while it was being asked.
  private var isWoken = false
  private var report: Report?
  private let timeouts: ServerConfiguration.Timeouts
  private let refusal: (Problem) -> Answer
  private let recall: (ArraySlice<UInt8>) -> (RequestHead, Answer)?

  /// - Parameters:
  ///   - recall: the answer to a request of exactly these bytes, where that is known.
  ///   - refusal: what is sent to a request that cannot be read.
  init(
    _ configuration: ServerConfiguration, now: UInt64, isSecure: Bool = false,
    recall: @escaping (ArraySlice<UInt8>) -> (RequestHead, Answer)? = { _ in nil },
    refusal: @escaping (Problem) -> Answer
  ) {
    timeouts = configuration.timeouts
    parser = RequestParser(limits: configuration.requestLimits)
    self.recall = recall
    self.refusal = refusal
    // A TLS handshake is as long as a header may take.
    deadline = now + nanoseconds(isSecure ? timeouts.headerSeconds : timeouts.idleSeconds)
  }

  /// Whether a stream is being sent.
  var isStreaming: Bool {
    switch phase {
    case .pulling, .pausing, .sending(.pull): true
    default: false
    }
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

  /// An answer that has been sent or given up; given once.
  mutating func takeReport() -> Report? {
    defer { report = nil }
    return report
  }

  /// The next thing to do. Ask again after having done it.
  mutating func next(now: UInt64) -> Action {
    while true {
      if case .closed = phase { return .close }
      if !output.isEmpty { return .send }
      switch phase {
      case .receiving:
        if let action = receive(now: now) { return action }
      case .answering, .pulling, .pausing, .waiting: return .wait
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

  /// The client will send nothing more. It may still read: what it has asked for is answered, but an endless
  /// stream to somebody who is probably gone is not kept up.
  mutating func inputEnded() {
    inputHasEnded = true
    if isStreaming { abandon() }
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
    deadline = now + UInt64(max(1, milliseconds)) * 1_000_000
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
      deadline = now + UInt64(max(1, milliseconds)) * 1_000_000
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

  /// The server stops: what is being answered is finished, streams get their end, no request is begun.
  mutating func stop(now: UInt64) {
    isStopping = true
    switch phase {
    case .receiving where !parser.isInsideRequest: phase = .closed
    case .pausing(let stream): end(stream, now: now)
    case .waiting(let request): phase = .resuming(request)
    case .sending(.nextRequest): phase = .sending(.close)
    case .sending(.pull(let stream)): end(stream, now: now)
    default: break
    }
  }
}

// MARK: - Steps

extension ConnectionMachine {
  private mutating func receive(now: UInt64) -> Action? {
    if let bytes = parser.possibleRequest, bytes.count <= AnswerMemory.requestBytesMax {
      if let (head, answer) = recall(bytes) {
        parser.dropRequest()
        self.head = head
        phase = .answering
        deadline = nil
        return .recalled(answer)
      }
      requestBytes = Array(bytes)
    }
    do {
      switch try parser.next() {
      case nil:
        requestBytes = []
        if inputHasEnded { phase = .closed }
        return inputHasEnded ? .close : .read
      case .head(let head):
        self.head = head
        if parser.waitingBytes > 0 || head.framing != .length(0) { requestBytes = [] }
        keepsAlive = head.keepsAlive
        deadline = now + nanoseconds(timeouts.bodySeconds)
        if head.expectsContinue, parser.waitingBytes == 0 {
          output.append(.bytes(ResponseSerializer.continueHead))
        }
        return nil
      case .body(let piece):
        body += piece
        extendDeadline(piece.count, upTo: timeouts.bodySeconds, now: now)
        return nil
      case .end:
        guard let head else { return nil }
        phase = .answering
        deadline = nil
        defer { body = [] }
        return .answer(head, body: body)
      }
    } catch {
      refuse(error.problem, now: now)
      return nil
    }
  }

  private mutating func beginRequest(now: UInt64) {
    phase = isStopping ? .closed : .receiving
    head = nil
    requestBytes = []
    let seconds = parser.isInsideRequest ? timeouts.headerSeconds : timeouts.idleSeconds
    deadline = now + nanoseconds(seconds)
  }

  private mutating func refuse(_ problem: Problem, now: UInt64) {
    body = []
    begin(refusal(problem), now: now)
  }

  private mutating func begin(_ answer: Answer, now: UInt64) {
    for segment in answer.segments { output.append(segment) }
    keepsAlive = answer.keepsAlive
    status = answer.status
    label = answer.label
    deadline = now + nanoseconds(timeouts.writeSeconds)
    if let stream = answer.stream {
      phase = .sending(.pull(stream))
      if isStopping { end(stream, now: now) }
    } else {
      phase = .sending(keepsAlive && !isStopping ? .nextRequest : .close)
    }
  }

  private mutating func reportAnswer(isComplete: Bool) {
    guard let status else { return }
    report = Report(head: head, status: status, isComplete: isComplete, label: label)
    self.status = nil
  }

  private mutating func end(_ stream: OpenStream, now: UInt64) {
    finishedStream = stream
    output.append(.bytes(stream.ending))
    phase = .sending(keepsAlive && !isStopping ? .nextRequest : .close)
    deadline = now + nanoseconds(timeouts.writeSeconds)
  }

  /// Bytes moved buy time, but never more than the whole time-out.
  private mutating func extendDeadline(_ bytes: Int, upTo seconds: Double, now: UInt64) {
    guard let due = deadline else { return }
    deadline = min(due + nanoseconds(Double(bytes) / timeouts.bytesPerSecondMin), now + nanoseconds(seconds))
  }
}

private func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(seconds * 1e9) }
