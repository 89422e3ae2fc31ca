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
  /// Connections taken in at once before others get their turn.
  private static let acceptsMax = 64
  /// Waiting connections that get a turn before the loop looks for what has come: when thousands are woken at
  /// once, an answer to somebody else is not behind all of them.
  private static let turnsMax = 64

  private let configuration: ServerConfiguration
  private let listener: ListeningSocket
  private let inbox: LoopInbox
  private let pool: HandlerPool
  private let responder: Responder
  private let census: ConnectionCensus
  private let certificate: CurrentCertificate
  private let memory: AnswerMemory
  private let epoll: Epoll
  private var connections: [UInt64: Connection] = [:]
  private var nextToken: UInt64 = 2
  private var deadlines = DeadlineQueue()
  /// Connections that had more to do when their turn was over, or were woken.
  private var unfinished: [UInt64] = []
  private var work: [HandlerPool.Work] = []
  private var readBuffer = [UInt8](repeating: 0, count: 64 << 10)
  private var now = SystemClock.monotonicNanoseconds
  private var isListening = false
  private var resumesListeningAt: UInt64?
  private var stopsAt: UInt64?

  /// Watches the listener from now on; connections wait until `run`.
  init(
    _ configuration: ServerConfiguration, _ listener: ListeningSocket, _ inbox: LoopInbox,
    _ pool: HandlerPool,
    _ responder: Responder, _ census: ConnectionCensus, _ certificate: CurrentCertificate
  ) throws(SystemError) {
    self.configuration = configuration
    self.listener = listener
    self.inbox = inbox
    self.pool = pool
    self.responder = responder
    self.census = census
    self.certificate = certificate
    memory = AnswerMemory(responder)
    epoll = try Epoll()
    try epoll.add(inbox.wakeUp, token: EventLoop.wakeUpToken)
    try epoll.add(listener, token: EventLoop.listenerToken)
    isListening = true
  }

  /// Runs until it has been told to stop and every connection has ended.
  func run() {
    var events: [Epoll.Event] = []
    while stopsAt == nil || !connections.isEmpty {
      epoll.wait(timeoutMilliseconds: unfinished.isEmpty ? waitMilliseconds() : 0, &events)
      now = SystemClock.monotonicNanoseconds
      let waiting = unfinished.prefix(EventLoop.turnsMax)
      unfinished.removeFirst(waiting.count)
      for event in events { handle(event) }
      for token in waiting {
        if let connection = connections[token] { drive(connection) }
      }
      expire()
      if !work.isEmpty {
        pool.add(work)
        work.removeAll(keepingCapacity: true)
      }
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
      guard let connection = connections[token] else {
        if let stream = answer.stream { work.append(.close(stream)) }
        return
      }
      connection.answered(answer, now: now)
      drive(connection)
    case .step(let token, let stream, let step):
      guard let connection = connections[token] else {
        work.append(.close(stream))
        return
      }
      connection.machine.pulled(step, now: now)
      drive(connection)
    case .pending(let token, let request, let milliseconds):
      guard let connection = connections[token] else {
        work.append(.drop(request))
        return
      }
      connection.machine.postponed(request, milliseconds: milliseconds, now: now)
      drive(connection)
    case .wake(let token):
      guard let connection = connections[token] else { return }
      connection.machine.woken()
      unfinished.append(token)
    case .stop(let deadline): stop(deadline)
    }
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
    for _ in 0..<EventLoop.stepsMax {
      let action = connection.machine.next(now: now)
      settle(connection)
      switch action {
      case .read:
        guard connection.read(&readBuffer, now: now) else { return watchDeadline(connection) }
      case .send:
        guard connection.send(now: now) else { return watchDeadline(connection) }
      case .answer(let head, let body):
        connection.requestedAt = now
        let client = ClientIdentity(peer: connection.channel.peer, isSecure: connection.channel.isSecure)
        if body.isEmpty, let instant = responder.instantAnswer(head, of: client) {
          let bytes = connection.machine.requestBytes
          if !bytes.isEmpty { memory.keep(instant, to: bytes, head) }
          connection.answered(instant.answer, now: now)
        } else {
          work.append(.answer(head, body: body, client, back(connection)))
        }
      case .recalled(let answer):
        connection.requestedAt = now
        connection.answered(answer, now: now)
      case .resume(let request, let mustAnswer):
        if let answer = responder.readyAnswer(request) {
          connection.answered(answer, now: now)
          request.pending.close()
        } else {
          work.append(.resume(request, mustAnswer: mustAnswer, back(connection)))
        }
      case .pull(let stream):
        if let step = stream.body.ready() {
          connection.machine.pulled(step, now: now)
        } else {
          work.append(.pull(stream, back(connection)))
        }
      case .wait: return watchDeadline(connection)
      case .shutDownWriting: connection.channel.shutDownWriting()
      case .close: return close(connection)
      }
    }
    unfinished.append(connection.token)
    watchDeadline(connection)
  }

  private func back(_ connection: Connection) -> HandlerPool.Return {
    HandlerPool.Return(inbox: inbox, token: connection.token)
  }

  /// Passes on what the last step has finished.
  private func settle(_ connection: Connection) {
    if let stream = connection.machine.takeFinishedStream() { work.append(.close(stream)) }
    if let request = connection.machine.takeFinishedPending() { work.append(.drop(request)) }
    if let accessLog = configuration.accessLog, let record = connection.takeAccessRecord(now: now) {
      accessLog(record)
    }
  }

  private func watchDeadline(_ connection: Connection) {
    if connection.isBroken {
      connection.machine.abandon()
      settle(connection)
      return close(connection)
    }
    guard let deadline = connection.machine.deadline else { return }
    if let queued = connection.queuedDeadline, queued <= deadline { return }
    connection.queuedDeadline = deadline
    deadlines.insert(connection.token, at: deadline)
  }

  private func close(_ connection: Connection) {
    guard connections.removeValue(forKey: connection.token) != nil else { return }
    if connection.machine.hasStalled { connection.channel.resetOnClose() }
    census.leave(connection.channel.peer)
    if resumesListeningAt != nil { listenAgain() }
  }
}

// MARK: - New connections

extension EventLoop {
  private func accept() {
    for _ in 0..<EventLoop.acceptsMax {
      switch listener.accept() {
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
    if let problem = census.enter(socket.peer) {
      // One attempt, and no waiting: whoever is over the limit gets no place to wait in.
      // What the client has sent is read, as a close with unread bytes resets the connection.
      _ = socket.read(into: &readBuffer)
      if certificate.isSecure { return }
      for case .bytes(let bytes) in responder.refusal(problem).segments { _ = socket.write(bytes) }
      return
    }
    let token = nextToken
    nextToken += 1
    let (responder, memory) = (responder, memory)
    let machine = ConnectionMachine(
      configuration, now: now, isSecure: certificate.isSecure, recall: memory.answer(to:)
    ) { responder.refusal($0) }
    let connection: Connection
    do {
      let session = try certificate.session(for: socket)
      connection = Connection(Channel(socket, session: session), token, machine)
      try epoll.add(socket, token: token)
    } catch {
      // The kernel has no memory to watch it: closed at once, as if it had not been accepted.
      return census.leave(socket.peer)
    }
    connections[token] = connection
    watchDeadline(connection)
  }

  private func stopListening() {
    guard isListening else { return }
    isListening = false
    // It cannot fail for a descriptor that is being watched.
    try? epoll.remove(listener)
  }

  private func listenAgain() {
    resumesListeningAt = nil
    guard stopsAt == nil, !isListening else { return }
    do {
      try epoll.add(listener, token: EventLoop.listenerToken)
      isListening = true
    } catch {
      resumesListeningAt = now + EventLoop.exhaustedPauseNanoseconds
    }
  }
}
