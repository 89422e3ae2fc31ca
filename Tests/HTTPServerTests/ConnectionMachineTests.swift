import HTTP
import Synchronization
import Testing

@testable import HTTPServer

/// The machine without sockets: bytes go in, actions come out, and the clock is the test's.
@Suite struct `Connection machine` {
  private func answer(_ status: Int, mayContinue: (@Sendable () -> Bool)? = nil) -> Answer {
    Answer(
      segments: [.bytes(Array("\(status)".utf8))], stream: nil, keepsAlive: false, status: status,
      mayContinue: mayContinue)
  }

  private func machine(isSecure: Bool = false, bodyLimit: BodyLimit? = nil) -> ConnectionMachine {
    ConnectionMachine(
      ServerConfiguration(), now: 0, isSecure: isSecure,
      .init(
        bodyLimit: { _ in bodyLimit }, asksForAdmission: true,
        refusal: { problem, _ in answer(problem.status) }))
  }

  private func receive(_ machine: inout ConnectionMachine, _ text: String) {
    machine.received(Array(text.utf8)[...], now: 0)
  }

  private func sent(_ machine: ConnectionMachine) -> String {
    machine.output.bytesForTests
  }

  @Test func `hands the handshake out and reads nothing before its end`() {
    var machine = machine(isSecure: true)
    for _ in 0..<2 {
      guard case .handshake = machine.next(now: 0) else { Issue.record("no handshake"); return }
    }
    machine.handshakeEnded()
    guard case .read = machine.next(now: 0) else { Issue.record("no read"); return }
    var silent = self.machine(isSecure: true)
    silent.deadlinePassed(now: 10_000_000_000)
    guard case .close = silent.next(now: 10_000_000_000) else { Issue.record("no close"); return }
  }

  @Test func `asks for admission by the head and reads nothing meanwhile`() {
    var machine = machine()
    receive(&machine, "PUT /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
    guard case .admit(let head) = machine.next(now: 0) else { Issue.record("no admission"); return }
    #expect(head.target.segments == ["a"])
    guard case .wait = machine.next(now: 0) else { Issue.record("no wait"); return }
    #expect(machine.output.isEmpty)
    machine.admitted(.welcome(nil), now: 0)
    guard case .send = machine.next(now: 0) else { Issue.record("no 100 Continue"); return }
    #expect(sent(machine).hasPrefix("HTTP/1.1 100"))
  }

  @Test func `sends a refusal and closes in order without the content`() {
    var machine = machine()
    receive(&machine, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nabc")
    guard case .admit = machine.next(now: 0) else { Issue.record("no admission"); return }
    machine.admitted(.refused(answer(401)), now: 0)
    guard case .send = machine.next(now: 0) else { Issue.record("no answer"); return }
    #expect(sent(machine) == "401")
    machine.output.removeAll()
    guard case .shutDownWriting = machine.next(now: 0) else { Issue.record("no end"); return }
    receive(&machine, "more of the content")
    guard case .read = machine.next(now: 0) else { Issue.record("no lingering"); return }
    #expect(machine.body.bytes.isEmpty)
  }

  @Test func `does not ask where the content came with the head`() {
    var machine = machine()
    receive(&machine, "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    guard case .answer(_, let body) = machine.next(now: 0) else { Issue.record("no answer"); return }
    #expect(body.bytes == Array("abc".utf8))
  }

  @Test(arguments: [
    "Content-Length: 5\r\n\r\nabcde", "Content-Length: 5\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n",
  ])
  func `holds content to the limit of its route`(rest: String) {
    var machine = machine(bodyLimit: BodyLimit(name: "small_body_bytes_max", bytesMax: 4))
    receive(&machine, "PUT /a HTTP/1.1\r\nHost: a\r\n\(rest)")
    if case .admit = machine.next(now: 0) { machine.admitted(.welcome(nil), now: 0) }
    guard case .send = machine.next(now: 0) else { Issue.record("no refusal"); return }
    #expect(sent(machine) == "413")
  }

  /// A pending answer that never comes.
  private final class Never: PendingAnswer {
    func attach(wake: @escaping @Sendable () -> Void) {}
    func next(mustAnswer: Bool) -> PendingStep { .idle(milliseconds: 60_000) }
    func close() {}
  }

  @Test func `looks every two seconds whether somebody who waits may go on waiting`() throws {
    let may = Mutex(true)
    var machine = machine()
    receive(&machine, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    guard case .answer(let head, _) = machine.next(now: 0) else { Issue.record("no answer"); return }
    let pending = PendingRequest(
      pending: Never(),
      asked: AskedRequest(head, of: ClientIdentity(peer: "127.0.0.1", isSecure: false), id: "a"),
      fields: Headers(), principal: "",
      mayContinue: { may.withLock { $0 } })
    machine.postponed(pending, milliseconds: 60_000, now: 0)
    guard case .wait = machine.next(now: 0) else { Issue.record("no wait"); return }
    var now: UInt64 = 0
    for _ in 0..<3 {
      now = try #require(machine.deadline)
      machine.deadlinePassed(now: now)
      guard case .wait = machine.next(now: now) else { Issue.record("asked too early"); return }
    }
    #expect(now == 6_000_000_000)
    may.withLock { $0 = false }
    machine.deadlinePassed(now: try #require(machine.deadline))
    guard case .close = machine.next(now: 8_000_000_000) else { Issue.record("goes on"); return }
    #expect(machine.takeFinishedPending() != nil)
  }

  @Test func `cuts an answer off that its client may no longer have`() {
    let may = Mutex(true)
    var machine = machine()
    receive(&machine, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    guard case .answer = machine.next(now: 0) else { Issue.record("no answer"); return }
    machine.answered(answer(200, mayContinue: { may.withLock { $0 } }), now: 0)
    guard case .send = machine.next(now: 0) else { Issue.record("not sent"); return }
    may.withLock { $0 = false }
    guard case .close = machine.next(now: 0) else { Issue.record("goes on"); return }
    #expect(machine.takeReport()?.isComplete == false)
  }
}

extension OutputQueue {
  /// The first segment as text.
  fileprivate var bytesForTests: String {
    if case .bytes(let bytes)? = first { String(decoding: bytes, as: UTF8.self) } else { "" }
  }
}
