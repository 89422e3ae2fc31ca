import HTTP

// The steps that `ConnectionMachine` takes from one phase to the next.

extension ConnectionMachine {
  /// Reads on in what has come; nil when the phase has changed or there is more to read.
  mutating func receive(now: UInt64) -> Action? {
    if contentHasEnded { return answerRequest() }
    if let bytes = parser.possibleRequest, bytes.count <= AnswerMemory.requestBytesMax {
      if let (head, answer) = services.recall(bytes) {
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
        if inputHasEnded {
          dropContent()
          phase = .closed
        }
        return inputHasEnded ? .close : .read
      case .head(let head): return begin(head, now: now)
      case .body(let piece):
        take(piece, now: now)
        return body.sink != nil && body.bytes.count >= RequestBody.sinkBytesMax ? store() : nil
      case .end:
        guard body.sink != nil, !body.bytes.isEmpty else { return answerRequest() }
        contentHasEnded = true
        return store()
      }
    } catch {
      refuse(error.problem, now: now)
      return nil
    }
  }

  /// The whole request is here.
  private mutating func answerRequest() -> Action? {
    guard let head else { return nil }
    phase = .answering
    deadline = nil
    contentHasEnded = false
    defer { body = RequestBody() }
    return .answer(head, body: body)
  }

  /// Gives the sink what has come.
  private mutating func store() -> Action? {
    guard let sink = body.sink else { return nil }
    phase = .storing
    deadline = nil
    defer { body.bytes.removeAll(keepingCapacity: true) }
    return .store(body.bytes, sink)
  }

  /// Forgets the content of a request that nobody will answer.
  mutating func dropContent() {
    finishedSink = body.sink ?? finishedSink
    body = RequestBody()
    contentHasEnded = false
  }

  /// The head of a request has come: one with content is admitted first. Where all of the content is here
  /// already, asking first would save nothing.
  private mutating func begin(_ head: RequestHead, now: UInt64) -> Action? {
    self.head = head
    if parser.waitingBytes > 0 || head.framing != .length(0) { requestBytes = [] }
    keepsAlive = head.keepsAlive
    deadline = now + nanoseconds(timeouts.bodySeconds)
    if head.framing == .length(0) { return nil }
    // Only who admits the request knows where such content goes.
    let isSpooled = services.bodyLimit(head)?.isSpooled ?? false
    if case .length(let length) = head.framing, length <= parser.waitingBytes, !isSpooled {
      beginContent(to: nil, now: now)
      return nil
    }
    guard services.asksForAdmission || isSpooled else {
      beginContent(to: nil, now: now)
      return nil
    }
    phase = .admitting
    deadline = nil
    return .admit(head)
  }

  /// The content of the request may come, if there is room for it.
  mutating func beginContent(to sink: (any BodySink)?, now: UInt64) {
    guard let head else { return }
    deadline = now + nanoseconds(timeouts.bodySeconds)
    bodyLimit = services.bodyLimit(head)
    body.reservation = services.reservation()
    body.sink = sink
    contentBytes = 0
    if sink != nil, let problem = body.reservation?.reserve(2 * RequestBody.sinkBytesMax) {
      return refuse(problem, now: now)
    }
    if case .length(let length) = head.framing {
      if let problem = problem(withContentOf: length) { return refuse(problem, now: now) }
      body.bytes.reserveCapacity(sink == nil ? length : RequestBody.sinkBytesMax)
    }
    if head.expectsContinue, parser.waitingBytes == 0 {
      output.append(.bytes(ResponseSerializer.continueHead))
    }
  }

  private mutating func take(_ piece: [UInt8], now: UInt64) {
    if let problem = problem(withContentOf: contentBytes + piece.count) { return refuse(problem, now: now) }
    contentBytes += piece.count
    body.bytes += piece
    extendDeadline(piece.count, upTo: timeouts.bodySeconds, now: now)
  }

  /// Why the request cannot have so much content; nil: it can, and has room for it.
  private func problem(withContentOf bytes: Int) -> Problem? {
    if let bodyLimit, bytes > bodyLimit.bytesMax { return bodyLimit.problem }
    return body.sink == nil ? body.reservation?.reserve(bytes) : nil
  }

  /// Waits for the next request.
  mutating func beginRequest(now: UInt64) {
    phase = isStopping ? .closed : .receiving
    head = nil
    mayContinue = nil
    requestBytes = []
    let seconds = parser.isInsideRequest ? timeouts.headerSeconds : timeouts.idleSeconds
    deadline = now + nanoseconds(seconds)
  }

  /// Answers a request that is not read to its end, which ends the connection.
  mutating func refuse(_ problem: Problem, now: UInt64) {
    dropContent()
    begin(services.refusal(problem, head), now: now)
  }

  /// Begins to send an answer.
  mutating func begin(_ answer: Answer, now: UInt64) {
    mayContinue = answer.mayContinue
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

  /// Notes how an answer went.
  mutating func reportAnswer(isComplete: Bool) {
    guard let status else { return }
    wasReported = true
    if services.wantsReports {
      report = Report(head: head, status: status, isComplete: isComplete, label: label)
    }
    self.status = nil
  }

  /// Sends a stream's end.
  mutating func end(_ stream: OpenStream, now: UInt64) {
    finishedStream = stream
    output.append(.bytes(stream.ending))
    phase = .sending(keepsAlive && !isStopping ? .nextRequest : .close)
    deadline = now + nanoseconds(timeouts.writeSeconds)
  }

  /// Bytes moved buy time, but never more than the whole time-out.
  mutating func extendDeadline(_ bytes: Int, upTo seconds: Double, now: UInt64) {
    guard let due = deadline else { return }
    deadline = min(due + nanoseconds(Double(bytes) / timeouts.bytesPerSecondMin), now + nanoseconds(seconds))
  }
}

/// Seconds as the monotonic clock counts them.
func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(seconds * 1e9) }
