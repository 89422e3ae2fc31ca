import HTTP
import Platform

/// One thread that moves the bytes of its connections and never waits for anything but `Epoll`.
///
/// Unchecked because it is made on one thread and then used by its own alone.
final class EventLoop: @unchecked Sendable {
  private static let listenerToken: UInt64 = 0
  private static let wakeUpToken: UInt64 = 1
  /// After the descriptors ran out, connections are accepted again when one has closed or after this.
  private static let exhaustedPauseNanoseconds: UInt64 = 250_000_000
  /// Reads and writes of one connection, each of 1 MiB at most, before others get their turn.
  private static let stepsMax = 16
  /// After as many bytes in one round, large answers wait for the next.
  private static let largeBytesMax = 1 << 20
  /// Connections taken in at once before others get their turn.
  private static let acceptsMax = 64
  /// Waiting connections that get a turn before the loop looks for what has come: when thousands are woken at
  /// once, an answer to somebody else is not behind all of them.
  private static let turnsMax = 64

  private let shared: LoopShared
  private let inbox: LoopInbox
  private let memory: AnswerMemory
  private let epoll: Epoll
  private var connections: [UInt64: Connection] = [:]
  private var nextToken: UInt64 = 2
  private var deadlines = DeadlineQueue()
  /// Connections that had more to do when their turn was over, or were woken.
  private var unfinished: [UInt64] = []
  private var work: [HandlerPool.Work] = []
  /// What has been sent since the loop has looked for events.
  private var sentBytes = 0
  private var readBuffer = [UInt8](repeating: 0, count: 64 << 10)
  private var now = SystemClock.monotonicNanoseconds
  private var isListening = false
  private var resumesListeningAt: UInt64?
  private var idle = IdleQueue()
  private var stopsAt: UInt64?

  /// Watches the listener from now on; connections wait until `run`.
  init(_ shared: LoopShared, _ inbox: LoopInbox) throws(SystemError) {
    self.shared = shared
    self.inbox = inbox
    memory = AnswerMemory(shared.responder)
    epoll = try Epoll()
    try epoll.add(inbox.wakeUp, token: EventLoop.wakeUpToken)
    try epoll.add(shared.listener, token: EventLoop.listenerToken)
    isListening = true
  }

  /// Runs until it has been told to stop and every connection has ended.
  func run() {
    var events: [Epoll.Event] = []
    while stopsAt == nil || !connections.isEmpty {
      let isIdle = unfinished.isEmpty && work.isEmpty
      epoll.wait(timeoutMilliseconds: isIdle ? waitMilliseconds() : 0, &events)
      now = SystemClock.monotonicNanoseconds
      sentBytes = 0
      let waiting = unfinished.prefix(EventLoop.turnsMax)
      unfinished.removeFirst(waiting.count)
      for event in events { handle(event) }
      for token in waiting {
        if let connection = connections[token] { drive(connection) }
      }
      expire()
      if !work.isEmpty { handWorkOver() }
    }
    // What the last connections have left behind is still closed.
    if !work.isEmpty { handWorkOver() }
  }

  /// Gives the handlers' threads what has come up, and answers the requests that find no room there.
  private func handWorkOver() {
    let refused = shared.pool.add(work)
    work.removeAll(keepingCapacity: true)
    for (piece, problem) in refused {
      guard let back = piece.back, let connection = connections[back.token] else { continue }
      connection.hasWork = false
      switch piece {
      case .admit(let head, _):
        connection.machine.admitted(
          .refused(shared.responder.refusal(problem, to: head, closes: true)), now: now)
      case .answer(let asked, _, _, _):
        connection.answered(shared.responder.refusal(problem, to: asked.head), now: now)
      default: continue
      }
      drive(connection)
    }
  }

  private func waitMilliseconds() -> Int? {
    let times = [deadlines.earliest, resumesListeningAt, stopsAt].compactMap { $0 }
    guard let earliest = times.min() else { return nil }
    let current = SystemClock.monotonicNanoseconds
    return earliest > current ? Int((earliest - current + 999_999) / 1_000_000) : 0
  }

  private func handle(_ event: Epoll.Event) {
    switch event.token {
    case EventLoop.listenerToken: accept()
    case EventLoop.wakeUpToken:
      inbox.wakeUp.clear()
      for message in inbox.takeAll() { handle(message) }
    default:
      guard let connection = connections[event.token] else { return }
      connection.note(event)
      drive(connection)
    }
  }

  private func handle(_ message: LoopInbox.Message) {
    switch message {
    case .answer(let token, let answer):
      guard let connection = connectionBack(token) else {
        if let stream = answer.stream { work.append(.close(stream)) }
        return
      }
      begin(answer, on: connection)
    case .step(let token, let stream, let step):
      guard let connection = connectionBack(token) else { return work.append(.close(stream)) }
      connection.machine.pulled(step, now: now)
      drive(connection)
    case .pending(let token, let request, let milliseconds):
      guard let connection = connectionBack(token) else { return work.append(.drop(request)) }
      postpone(request, milliseconds: milliseconds, on: connection)
    case .admitted(let token, let outcome):
      guard let connection = connectionBack(token) else {
        if case .welcome(let sink?) = outcome { work.append(.discard(sink)) }
        return
      }
      connection.machine.admitted(outcome, now: now)
      drive(connection)
    case .stored(let token, let problem):
      guard let connection = connectionBack(token) else { return }
      connection.machine.stored(problem, now: now)
      drive(connection)
    case .handshake(let token, let result):
      guard let connection = connectionBack(token) else { return }
      connection.handshakeTried(result)
      drive(connection)
    case .wake(let token):
      guard let connection = connections[token] else { return }
      connection.machine.woken()
      unfinished.append(token)
    case .stop(let deadline): stop(deadline)
    }
  }

  /// The connection that a handler's thread has done its work for.
  private func connectionBack(_ token: UInt64) -> Connection? {
    let connection = connections[token]
    connection?.hasWork = false
    return connection
  }

  private func expire() {
    while let due = deadlines.removeDue(at: now) {
      guard let connection = connections[due.token], connection.queuedDeadline == due.nanoseconds else {
        continue
      }
      connection.queuedDeadline = nil
      connection.machine.deadlinePassed(now: now)
      drive(connection)
    }
    if let time = resumesListeningAt, time <= now { listenAgain() }
    if let time = stopsAt, time <= now {
      for connection in connections.values {
        connection.machine.abandon()
        drive(connection)
      }
    }
  }

  private func stop(_ deadline: UInt64) {
    stopsAt = deadline
    stopListening()
    resumesListeningAt = nil
    for connection in connections.values {
      connection.machine.stop(now: now)
      drive(connection)
    }
  }
}

// MARK: - One connection

extension EventLoop {
  /// Does what the connection's machine says until it has to wait or its turn is over.
  private func drive(_ connection: Connection) {
    // What a client asked for before it broke the connection is not begun.
    if connection.isBroken { return close(connection) }
    for _ in 0..<EventLoop.stepsMax {
      let action = connection.machine.next(now: now)
      settle(connection)
      switch action {
      case .read:
        guard connection.read(&readBuffer, now: now) else { return watchDeadline(connection) }
      case .send:
        // Large answers share a part of each round: small ones do not wait behind all of them.
        if sentBytes >= EventLoop.largeBytesMax, connection.machine.output.isLarge {
          unfinished.append(connection.token)
          return watchDeadline(connection)
        }
        guard connection.send(now: now, total: &sentBytes) else { return watchDeadline(connection) }
      case .handshake:
        guard !connection.hasWork, let session = connection.takeHandshake() else {
          return watchDeadline(connection)
        }
        queue(.handshake(session, connection.back), for: connection)
        return watchDeadline(connection)
      case .admit(let head): queue(.admit(head, connection.back), for: connection)
      case .store(let bytes, let sink): queue(.store(bytes, sink, connection.back), for: connection)
      case .answer(let head, let body): answer(head, body, on: connection)
      case .recalled(let answer):
        connection.requestedAt = now
        connection.answered(answer, now: now)
      case .resume(let request, let mustAnswer):
        if let answer = shared.responder.readyAnswer(request) {
          connection.answered(answer, now: now)
          request.pending.close()
        } else {
          queue(.resume(request, mustAnswer: mustAnswer, connection.back), for: connection)
        }
      case .pull(let stream):
        if let step = stream.body.ready() {
          connection.machine.pulled(step, now: now)
        } else {
          queue(.pull(stream, connection.back), for: connection)
        }
      case .wait: return watchDeadline(connection)
      case .shutDownWriting: connection.channel.shutDownWriting()
      case .close: return close(connection)
      }
    }
    unfinished.append(connection.token)
    watchDeadline(connection)
  }

  private func answer(_ head: RequestHead, _ body: RequestBody, on connection: Connection) {
    connection.requestedAt = now
    let asked = shared.responder.asked(head, of: connection.client)
    if body.bytes.isEmpty, body.sink == nil, let instant = shared.responder.instantAnswer(asked) {
      let bytes = connection.machine.requestBytes
      if !bytes.isEmpty { memory.keep(instant, to: bytes, head) }
      return connection.answered(instant.answer, now: now)
    }
    let weight = shared.responder.limits(of: asked.request).weight
    queue(.answer(asked, body: body, weight, connection.back), for: connection)
  }

  private func queue(_ piece: HandlerPool.Work, for connection: Connection) {
    connection.hasWork = true
    work.append(piece)
  }

  /// Begins to send an answer; one that lasts only if there is a place for it.
  private func begin(_ answer: Answer, on connection: Connection) {
    if let stream = answer.stream, let problem = takeStreamPlace(connection) {
      work.append(.close(stream))
      connection.answered(
        shared.responder.refusal(problem, to: connection.machine.head), now: now)
    } else {
      connection.answered(answer, now: now)
    }
    drive(connection)
  }

  /// Waits for a pending answer; for one that may be long in coming only if there is a place for it.
  private func postpone(_ request: PendingRequest, milliseconds: Int, on connection: Connection) {
    if !request.pending.isBrief, let problem = takeStreamPlace(connection) {
      work.append(.drop(request))
      connection.answered(shared.responder.refusal(problem, to: request.asked.head), now: now)
    } else {
      connection.postponed(request, milliseconds: milliseconds, now: now)
    }
    drive(connection)
  }

  /// Takes a place for an answer that lasts, if the connection does not have one; or tells why there is none.
  private func takeStreamPlace(_ connection: Connection) -> Problem? {
    guard connection.streamPlace == nil else { return nil }
    if let problem = shared.streams.enter(connection.client) { return problem }
    connection.streamPlace = StreamPlace(shared.streams, connection.client)
    return nil
  }

  /// Passes on what the last step has finished.
  private func settle(_ connection: Connection) {
    if let stream = connection.machine.takeFinishedStream() { work.append(.close(stream)) }
    if let request = connection.machine.takeFinishedPending() { work.append(.drop(request)) }
    if let sink = connection.machine.takeFinishedSink() { work.append(.discard(sink)) }
    connection.settleAnswer(now: now, log: shared.configuration.accessLog)
  }

  private func watchDeadline(_ connection: Connection) {
    guard let deadline = connection.machine.deadline else { return }
    if let queued = connection.queuedDeadline, queued <= deadline { return }
    connection.queuedDeadline = deadline
    deadlines.insert(connection.token, at: deadline)
  }

  /// Ends a connection and whatever is still to be done for it.
  private func close(_ connection: Connection) {
    guard connections.removeValue(forKey: connection.token) != nil else { return }
    connection.machine.abandon()
    settle(connection)
    connection.back.liveness.end()
    if connection.hasWork { work += shared.pool.withdraw(connection.back) }
    if connection.machine.hasStalled { connection.channel.resetOnClose() }
    shared.connections.leave(connection.client)
    if deadlines.count > 1_024 + 4 * connections.count {
      deadlines.keep { connections[$0] != nil }
    }
    if resumesListeningAt != nil { listenAgain() }
  }
}

// MARK: - New connections

extension EventLoop {
  private func accept() {
    for _ in 0..<EventLoop.acceptsMax {
      switch shared.listener.accept() {
      case .none: return
      case .exhausted:
        stopListening()
        resumesListeningAt = now + EventLoop.exhaustedPauseNanoseconds
        return
      case .connection(let socket): open(socket)
      }
    }
  }

  private func open(_ socket: Socket) {
    let isSecure = shared.certificate.isSecure
    let client = ClientIdentity(peer: socket.peer, isSecure: isSecure)
    if let problem = makeRoom() ?? shared.connections.enter(client) {
      // One attempt, and no waiting: a client over the limit gets no place to wait in.
      // What the client has sent is read, as a close with unread bytes resets the connection.
      _ = socket.read(into: &readBuffer)
      if isSecure { return }
      for case .bytes(let bytes) in shared.responder.refusal(problem, to: nil).segments {
        _ = socket.write(bytes)
      }
      return
    }
    let token = nextToken
    nextToken += 1
    let machine = ConnectionMachine(
      shared.configuration, now: now, isSecure: isSecure, shared.services(for: client, memory))
    let connection: Connection
    do {
      let session = try shared.certificate.session(for: socket)
      connection = Connection(
        Channel(socket, session: session), HandlerPool.Return(inbox, token: token, client), machine)
      try epoll.add(socket, token: token)
    } catch {
      // The kernel has no memory to watch it: closed at once, as if it had not been accepted.
      return shared.connections.leave(client)
    }
    connections[token] = connection
    watchDeadline(connection)
  }

  /// Where the descriptors for connections are used up, closes the one that has been idle longest; or tells
  /// why there is no room.
  private func makeRoom() -> Problem? {
    let room = shared.configuration.connectionsRoom
    guard shared.connections.count >= room else { return nil }
    guard let token = idle.next(of: connections, now: now), let connection = connections[token] else {
      return .unavailable("The server has descriptors for at most \(room) connections, and none is idle.")
    }
    close(connection)
    return nil
  }

  private func stopListening() {
    guard isListening else { return }
    isListening = false
    // It cannot fail for a descriptor that is being watched.
    try? epoll.remove(shared.listener)
  }

  private func listenAgain() {
    resumesListeningAt = nil
    guard stopsAt == nil, !isListening else { return }
    do {
      try epoll.add(shared.listener, token: EventLoop.listenerToken)
      isListening = true
    } catch {
      resumesListeningAt = now + EventLoop.exhaustedPauseNanoseconds
    }
  }
}
