import HTTP
import Platform

/// The threads that run handlers, so that whatever blocks there never holds up a loop.
final class HandlerPool: Sendable {
  /// One piece of work and where its result goes.
  enum Work: Sendable {
    case answer(RequestHead, body: [UInt8], ClientIdentity, Return)
    case resume(PendingRequest, mustAnswer: Bool, Return)
    case drop(PendingRequest)
    case pull(OpenStream, Return)
    case close(OpenStream)
  }

  /// A connection of a loop.
  struct Return: Sendable {
    let inbox: LoopInbox
    let token: UInt64
  }

  private let queue = WorkQueue<Work>()
  private let threads: [Thread]
  /// Each thread's last word.
  private let endings = Inbox<Void>()

  /// Starts the threads.
  init(threads count: Int, responder: Responder) throws(SystemError) {
    var threads: [Thread] = []
    for index in 0..<count {
      let (queue, endings) = (queue, endings)
      threads.append(
        try Thread(name: "http-handler-\(index)", stackBytes: 512 << 10) {
          while let work = queue.take() { HandlerPool.run(work, responder) }
          endings.send(())
        })
    }
    self.threads = threads
  }

  /// Queues work.
  func add(_ work: [Work]) { queue.add(work) }

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

  private static func run(_ work: Work, _ responder: Responder) {
    switch work {
    case .answer(let head, let body, let client, let back):
      switch responder.answer(head, body: body, of: client) {
      case .answer(let answer):
        answer.stream?.body.attach { back.inbox.put(.wake(back.token)) }
        back.inbox.put(.answer(back.token, answer))
      case .pending(let request):
        request.pending.attach { back.inbox.put(.wake(back.token)) }
        resume(request, mustAnswer: false, back, responder)
      }
    case .resume(let request, let mustAnswer, let back):
      resume(request, mustAnswer: mustAnswer, back, responder)
    case .drop(let request): request.pending.close()
    case .pull(let stream, let back):
      // A failed stream is cut off: its status has been sent, and only a missing end can tell the client.
      let step = try? stream.body.next()
      back.inbox.put(.step(back.token, stream, step))
    case .close(let stream): stream.body.close()
    }
  }

  private static func resume(
    _ request: PendingRequest, mustAnswer: Bool, _ back: Return, _ responder: Responder
  ) {
    switch responder.resume(request, mustAnswer: mustAnswer) {
    case .idle(let milliseconds):
      back.inbox.put(.pending(back.token, request, milliseconds: milliseconds))
    case .answer(let answer):
      request.pending.close()
      back.inbox.put(.answer(back.token, answer))
    }
  }
}
