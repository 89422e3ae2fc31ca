import Crypto
import HTTP
import Platform

/// A channel with its machine and what `Epoll` has told about it. Owned by one loop.
final class Connection {
  let channel: Channel
  /// Where the handlers' threads send what they have done for it.
  let back: HandlerPool.Return
  var machine: ConnectionMachine
  /// When the request that is being answered was complete, in monotonic nanoseconds.
  var requestedAt: UInt64 = 0
  /// Whether a handler's thread has work for it, or will have.
  var hasWork = false
  /// The place of a stream or of an answer that is waited for.
  var streamPlace: StreamPlace?
  /// The entry that the loop's deadline queue holds for this connection.
  var queuedDeadline: UInt64?
  /// Nothing can be sent any more.
  private(set) var isBroken = false
  private var mayRead = false
  private var mayWrite = true
  private var peerHasClosed = false
  private var answerBytes = 0
  /// What the TLS handshake waits for, and whether the socket has that.
  private var handshakeNeed = TLSSession.Handshake.needsInput
  private var hasHandshakeNews = false

  init(_ channel: Channel, _ back: HandlerPool.Return, _ machine: ConnectionMachine) {
    self.channel = channel
    self.back = back
    self.machine = machine
  }

  /// What the loop knows it by.
  var token: UInt64 { back.token }

  /// Who is at the other end.
  var client: ClientIdentity { back.client }

  /// Whether it waits for a request, and nothing that came in waits to be read.
  var isIdle: Bool { machine.isIdle && !hasWork && !mayRead }

  /// Takes in what has become possible.
  func note(_ event: Epoll.Event) {
    if event.isReadable || event.isPeerClosed { mayRead = true }
    if event.isWritable { mayWrite = true }
    // TLS may have to write in order to read, and the other way round.
    if channel.isSecure { (mayRead, mayWrite) = (true, true) }
    if event.isPeerClosed { peerHasClosed = true }
    if event.isBroken { isBroken = true }
    if event.isPeerClosed || (handshakeNeed == .needsOutput ? event.isWritable : event.isReadable) {
      hasHandshakeNews = true
    }
    endIfHalfClosed()
  }

  /// What lasts is not kept up for a client that has closed its half of the connection.
  private func endIfHalfClosed() {
    if peerHasClosed, machine.isLasting { machine.inputEnded() }
  }

  /// The TLS session, if its handshake can go on now; given once for each news of the socket.
  func takeHandshake() -> TLSSession? {
    guard hasHandshakeNews else { return nil }
    hasHandshakeNews = false
    return channel.session
  }

  /// A step of the TLS handshake has been tried.
  func handshakeTried(_ result: TLSSession.Handshake) {
    switch result {
    case .done: machine.handshakeEnded()
    case .failed: machine.abandon()
    case .needsInput, .needsOutput: handshakeNeed = result
    }
  }

  /// Hands an answer to the machine.
  func answered(_ answer: Answer, now: UInt64) {
    machine.answered(answer, now: now)
    endIfHalfClosed()
  }

  /// The answer will come later.
  func postponed(_ request: PendingRequest, milliseconds: Int, now: UInt64) {
    machine.postponed(request, milliseconds: milliseconds, now: now)
    endIfHalfClosed()
  }

  /// Takes note of an answer that has just been sent or given up, and tells the access log.
  func settleAnswer(now: UInt64, log: ((AccessRecord) -> Void)?) {
    guard machine.hasReport else { return }
    streamPlace = nil
    if let report = machine.takeReport(), let log { log(accessRecord(report, now: now)) }
    answerBytes = 0
  }

  private func accessRecord(_ report: ConnectionMachine.Report, now: UInt64) -> AccessRecord {
    let path = report.head?.target.text.divided(at: 0x3F).before ?? ""
    return AccessRecord(
      unixMilliseconds: SystemClock.unixMilliseconds, requestID: report.label.id,
      principal: report.label.principal, peer: client.peer, method: report.head?.method, path: path.string,
      status: report.status,
      bytes: answerBytes,
      milliseconds: requestedAt == 0 ? 0 : Double(now - requestedAt) / 1e6, isComplete: report.isComplete)
  }

  /// Reads once; false when there is nothing to read now.
  func read(_ buffer: inout [UInt8], now: UInt64) -> Bool {
    guard mayRead else { return false }
    switch channel.read(into: &buffer) {
    case .moved(let count):
      // Less than asked for means that the kernel has no more (`epoll(7)`), unless the end is still to come.
      if count < buffer.count, !channel.isSecure { mayRead = peerHasClosed }
      machine.received(buffer[..<count], now: now)
    case .wouldBlock:
      mayRead = false
      return false
    case .ended: machine.inputEnded()
    }
    return true
  }

  /// Sends once; false when the socket takes nothing now.
  ///
  /// - Parameter total: is increased by the bytes sent.
  func send(now: UInt64, total: inout Int) -> Bool {
    guard mayWrite else { return false }
    switch machine.output.send(to: channel) {
    case .moved(let count):
      answerBytes += count
      total += count
      machine.sent(count, now: now)
    case .wouldBlock:
      mayWrite = false
      return false
    case .ended: machine.abandon()
    }
    return true
  }
}
