import Crypto
import HTTP
import Platform
import Synchronization

/// An HTTP/1.1 server: event loops for the bytes, a pool of threads for the handlers (RFC 9110, RFC 9112).
///
/// Requests are read whole and within limits, answered by the handler on a pool thread, and sent by the loop.
/// Entity tags, ranges and gzip are applied to what the handler answers.
package final class HTTPServer: Sendable {
  private let configuration: ServerConfiguration
  private let responder: Responder
  private let certificate: CurrentCertificate
  private let running = Mutex<Running?>(nil)

  private struct Running {
    var pool: HandlerPool
    var inboxes: [LoopInbox]
    var threads: [Thread]
  }

  /// Nothing happens before `start`.
  ///
  /// - Parameters:
  ///   - admission: is asked on a handler's thread by the head of a request whose content is still to come.
  ///   - sink: makes what takes the content of a request whose body limit is a spooled one.
  ///   - limits: what a request may take; is asked on the loop's thread.
  ///   - instant: is asked before the handler, on the loop's thread.
  package init(
    _ configuration: ServerConfiguration, admission: Admission? = nil,
    sink: @escaping SinkMaker = { _ in nil },
    limits: @escaping @Sendable (Request) -> RouteLimits = { _ in RouteLimits() },
    instant: @escaping InstantHandler = { _ in nil }, handler: @escaping Handler
  ) {
    self.configuration = configuration
    responder = Responder(
      configuration, admission: admission, sink: sink, limits: limits, instant: instant, handler: handler)
    certificate = CurrentCertificate(configuration.tls)
  }

  /// Shows another certificate to new connections of a server that has TLS.
  package func replaceCertificate(by context: TLSContext) { certificate.replace(by: context) }

  /// Listens, starts the threads and returns the port. To be called once.
  ///
  /// Makes the process ignore broken pipes.
  ///
  /// - Throws: `SystemError` when the address is none of this machine's or taken.
  package func start() throws(SystemError) -> Int {
    ignoreBrokenPipes()
    Heap.returnLargeBlocks()
    let listener = try ListeningSocket(host: configuration.host, port: configuration.port)
    let pool = try HandlerPool(configuration, responder: responder)
    let shared = LoopShared(configuration, listener, pool, responder, certificate)
    var state = Running(pool: pool, inboxes: [], threads: [])
    for index in 0..<configuration.loopThreads {
      let inbox = try LoopInbox()
      let loop = try EventLoop(shared, inbox)
      state.inboxes.append(inbox)
      state.threads.append(try Thread(name: "http-loop-\(index)", stackBytes: 512 << 10) { loop.run() })
    }
    running.withLock { $0 = state }
    return listener.port
  }

  /// Takes no new connections or requests, lets running answers finish and gives streams their end; what
  /// is not done after `graceSeconds` is cut off. Returns when the threads have ended.
  package func stop(graceSeconds: Double = 5) {
    let state = running.withLock { running in
      defer { running = nil }
      return running
    }
    guard let state else { return }
    responder.stop()
    let deadline = SystemClock.monotonicNanoseconds + UInt64(graceSeconds * 1e9)
    for inbox in state.inboxes { inbox.put(.stop(deadline: deadline)) }
    for thread in state.threads { thread.join() }
    state.pool.finish(by: deadline)
  }
}
