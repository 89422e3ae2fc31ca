import Crypto
import HTTP
import Platform

/// The threads that run handlers, so that whatever blocks there never holds up a loop.
///
/// Clients take turns, and so do five lanes: light requests, heavy ones, TLS handshakes, reading for streams,
/// and what else goes on or ends for requests that were taken before. Heavy requests, handshakes and streams
/// have a part of the threads at most: a request that comes behind two hundred that begin streams waits for
/// those to begin, and not for what they read.
final class HandlerPool: Sendable {
  /// One piece of work and where its result goes.
  enum Work: Sendable {
    /// Ask by its head whether a request may send its content.
    case admit(RequestHead, Return)
    /// Give the next bytes of a request's content to its sink.
    case store([UInt8], any BodySink, Return)
    /// Let go of a sink that nobody needs any more, which removes what it has.
    case discard(any BodySink)
    case answer(AskedRequest, body: RequestBody, RouteWeight, Return)
    /// Compress an answer and make it ready to be sent.
    case encode(EncodingRequest, Return)
    case handshake(TLSSession, Return)
    case resume(PendingRequest, mustAnswer: Bool, Return)
    case drop(PendingRequest)
    case pull(OpenStream, Return)
    case close(OpenStream)
  }

  /// A connection of a loop; one for all work of a connection.
  final class Return: Sendable {
    let inbox: LoopInbox
    let token: UInt64
    let client: ClientIdentity
    /// Ends with the connection.
    let liveness = Liveness()

    init(_ inbox: LoopInbox, token: UInt64, _ client: ClientIdentity) {
      self.inbox = inbox
      self.token = token
      self.client = client
    }
  }

  fileprivate enum Lane: Int, CaseIterable {
    case light, heavy, handshake, stream, goingOn

    /// Where requests wait that nothing has been done for.
    static let requests = Lane.light.rawValue..<(Lane.heavy.rawValue + 1)
  }

  private let queue: WorkQueue<Int, Work>
  private let limits: QueueLimits
  private let threads: [Thread]
  /// Each thread's last word.
  private let endings = Inbox<Void>()

  /// Starts the threads.
  init(_ configuration: ServerConfiguration, responder: Responder) throws(SystemError) {
    let count = configuration.handlerThreads
    let runningMaxima = Lane.allCases.map { lane in
      switch lane {
      case .light, .goingOn: count
      case .heavy, .stream: max(1, count / 2)
      case .handshake: max(1, count / 4)
      }
    }
    queue = WorkQueue(runningMaxima: runningMaxima)
    limits = QueueLimits(configuration)
    var threads: [Thread] = []
    for index in 0..<count {
      let (queue, endings) = (queue, endings)
      threads.append(
        try Thread(name: "http-handler-\(index)", stackBytes: 512 << 10) {
          var lane: Int?
          while HandlerPool.runNext(of: queue, &lane, responder) {}
          endings.send(())
        })
    }
    self.threads = threads
  }

  /// Queues work and gives back the requests for which there is no room, with the reason.
  func add(_ work: [Work]) -> [(work: Work, problem: Problem)] {
    queue.change { schedule in
      var refused: [(work: Work, problem: Problem)] = []
      for piece in work {
        let client = piece.back?.client
        if let client, piece.isNewRequest,
          let problem = limits.problem(with: schedule, in: Lane.requests, of: client)
        {
          refused.append((piece, problem))
        } else {
          schedule.add(piece, lane: piece.lane.rawValue, client: client?.turnKey ?? 0)
        }
      }
      return refused
    }
  }

  /// Takes back what a connection that has ended still waits for, and gives what has to be closed for it.
  func withdraw(_ back: Return) -> [Work] {
    let withdrawn = queue.change { schedule in
      schedule.remove(client: back.client.turnKey) { $0.back === back }
    }
    return withdrawn.compactMap(\.closing)
  }

  /// Returns when everything queued is done, or at that time of the monotonic clock; a handler that still
  /// runs then is left to itself.
  func finish(by deadline: UInt64) {
    queue.close()
    var running = threads.count
    while running > 0 {
      let now = SystemClock.monotonicNanoseconds
      guard now < deadline else { return }
      running -= endings.receive(timeoutMilliseconds: Int((deadline - now) / 1_000_000) + 1).count
    }
  }

  /// Runs the next piece of work; false when there will be none.
  private static func runNext(
    of queue: WorkQueue<Int, Work>, _ lane: inout Int?, _ responder: Responder
  ) -> Bool {
    guard let bodyBytes = takeAndRun(queue, &lane, responder) else { return false }
    // By now nothing holds the body or what was read out of it.
    if bodyBytes >= RequestBody.returnedBytesMin { Heap.returnFreePages() }
    return true
  }

  /// Runs the next piece of work and gives how large its body was; nil when there will be none.
  private static func takeAndRun(
    _ queue: WorkQueue<Int, Work>, _ lane: inout Int?, _ responder: Responder
  ) -> Int? {
    guard let next = queue.take(finished: lane) else { return nil }
    lane = next.lane
    run(next.work, responder, queue)
    return next.work.bodyBytes
  }
}

// MARK: - One piece of work

extension HandlerPool {
  private static func run(_ work: Work, _ responder: Responder, _ queue: WorkQueue<Int, Work>) {
    // Nobody would get what came of it. What the loop has handed over is closed here.
    if let back = work.back, back.liveness.isGone {
      if let closing = work.closing { run(closing, responder, queue) }
      return
    }
    switch work {
    case .admit(let head, let back):
      back.inbox.put(.admitted(back.token, responder.admission(head, of: back.client)))
    case .answer(let asked, let body, _, let back):
      let outcome = responder.answer(asked, body: body.bytes, sink: body.sink, back.liveness)
      deliver(outcome, back, responder, queue)
    case .store(let bytes, let sink, let back):
      back.inbox.put(.stored(back.token, responder.store(bytes, in: sink)))
    case .discard: break
    case .encode(let request, let back): back.inbox.put(.answer(back.token, responder.encode(request)))
    case .handshake(let session, let back): back.inbox.put(.handshake(back.token, session.handshake()))
    case .resume(let request, let mustAnswer, let back):
      resume(request, mustAnswer: mustAnswer, back, responder, queue)
    case .drop(let request): request.pending.close()
    case .pull(let stream, let back):
      // A failed stream is cut off: its status has been sent, and only a missing end can tell the client.
      let step = try? stream.body.next()
      back.inbox.put(.step(back.token, stream, step))
    case .close(let stream): stream.body.close()
    }
  }

  private static func deliver(
    _ outcome: Responder.Outcome, _ back: Return, _ responder: Responder,
    _ queue: WorkQueue<Int, Work>
  ) {
    switch outcome {
    case .answer(let answer):
      answer.stream?.body.attach { back.inbox.put(.wake(back.token)) }
      back.inbox.put(.answer(back.token, answer))
    case .encoding(let request):
      // Much is compressed in the lane of what takes long, and only for a client that is still there.
      let work = Work.encode(request, back)
      queue.change { $0.add(work, lane: work.lane.rawValue, client: back.client.turnKey) }
    case .pending(let request):
      request.pending.attach { back.inbox.put(.wake(back.token)) }
      resume(request, mustAnswer: false, back, responder, queue)
    }
  }

  private static func resume(
    _ request: PendingRequest, mustAnswer: Bool, _ back: Return, _ responder: Responder,
    _ queue: WorkQueue<Int, Work>
  ) {
    switch responder.resume(request, mustAnswer: mustAnswer, back.liveness) {
    case .idle(let milliseconds):
      back.inbox.put(.pending(back.token, request, milliseconds: milliseconds))
    case .outcome(let outcome):
      request.pending.close()
      deliver(outcome, back, responder, queue)
    }
  }
}

extension HandlerPool.Work {
  /// Where the result goes; nil where there is none.
  var back: HandlerPool.Return? {
    switch self {
    case .admit(_, let back), .store(_, _, let back), .answer(_, _, _, let back), .encode(_, let back),
      .handshake(_, let back),
      .resume(_, _, let back), .pull(_, let back):
      back
    case .drop, .close, .discard: nil
    }
  }

  /// Whether it may be refused: nothing has been done for the request yet.
  fileprivate var isNewRequest: Bool {
    switch self {
    case .admit, .answer: true
    default: false
    }
  }

  fileprivate var lane: HandlerPool.Lane {
    switch self {
    case .admit: .light
    case .answer(_, let body, let weight, _):
      weight == .heavy || body.bytes.count >= RequestBody.heavyBytesMin ? .heavy : .light
    case .encode: .heavy
    case .handshake: .handshake
    // What comes waits for the disk, as what goes does.
    case .pull, .store: .stream
    case .resume, .drop, .close, .discard: .goingOn
    }
  }

  /// What has to be done instead of this work for a client that is gone.
  fileprivate var closing: HandlerPool.Work? {
    switch self {
    case .resume(let request, _, _): .drop(request)
    case .pull(let stream, _): .close(stream)
    default: nil
    }
  }

  fileprivate var bodyBytes: Int {
    if case .answer(_, let body, _, _) = self { body.bytes.count } else { 0 }
  }
}
