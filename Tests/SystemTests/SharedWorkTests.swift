import Platform
import SharedWork
import Synchronization
import Testing

@Suite struct `Work that several wait for` {
  private typealias Work = SharedWork<String, Int, Int>

  /// A gate that computations wait at, and what passed it.
  private final class Gate: Sendable {
    let monitor = Monitor()
    let isOpen = Atomic<Bool>(false)
    let begun = Atomic<Int>(0)

    func pass() {
      monitor.signal { begun.add(1, ordering: .relaxed) }
      monitor.wait { isOpen.load(ordering: .relaxed) }
    }

    func open() { monitor.signal { isOpen.store(true, ordering: .relaxed) } }

    func waitForBegun(_ count: Int) { monitor.wait { begun.load(ordering: .relaxed) >= count } }
  }

  private static func work(
    threads: Int = 2, waitingMax: Int = 8, keptMax: Int = 8, keptBytesMax: Int = 1_000,
    clock: @escaping @Sendable () -> UInt64 = { 0 }
  ) -> Work {
    Work(
      name: "test",
      limits: Work.Limits(
        threads: threads, waitingMax: waitingMax, keptMax: keptMax, keptBytesMax: keptBytesMax),
      clock: clock)
  }

  /// The value when it is there.
  private static func value(_ asked: Asked<Int>) -> Int? {
    switch asked {
    case .known(let value): return value
    case .busy: return nil
    case .coming(let ticket):
      let monitor = Monitor()
      ticket.attach { monitor.signal() }
      monitor.wait { ticket.value() != nil }
      defer { ticket.close() }
      return ticket.value()
    }
  }

  @Test func `is done once for all who ask meanwhile, and kept while the stamp is the same`() {
    let work = Self.work()
    let gate = Gate()
    let asked = (0..<20).map { _ in
      work.ask("a", stamp: 1) {
        gate.pass()
        return Work.Result(7, bytes: 1)
      }
    }
    gate.open()
    for one in asked { #expect(Self.value(one) == 7) }
    #expect(gate.begun.load(ordering: .relaxed) == 1)
    guard case .known(7) = work.ask("a", stamp: 1, compute: { Work.Result(0, bytes: 1) }) else {
      return #expect(Bool(false), "it is kept")
    }
    #expect(Self.value(work.ask("a", stamp: 2) { Work.Result(8, bytes: 1) }) == 8)
  }

  @Test func `of one key runs one at a time, and who asks with a newer stamp gets a newer value`() {
    let work = Self.work()
    let gate = Gate()
    let old = work.ask("a", stamp: 1) {
      gate.pass()
      return Work.Result(1, bytes: 1)
    }
    gate.waitForBegun(1)
    let new = (2...5).map { stamp in work.ask("a", stamp: stamp) { Work.Result(stamp, bytes: 1) } }
    #expect(gate.begun.load(ordering: .relaxed) == 1)
    gate.open()
    #expect(Self.value(old) == 1)
    for one in new { #expect(Self.value(one) == 5, "those that had not begun are one") }
  }

  @Test func `is refused when the line is full, and is not begun when nobody waits any more`() {
    let work = Self.work(threads: 1, waitingMax: 2)
    let gate = Gate()
    let first = work.ask("first", stamp: 0) {
      gate.pass()
      return Work.Result(1, bytes: 1)
    }
    gate.waitForBegun(1)
    let left = work.ask("left", stamp: 0) {
      gate.pass()
      return Work.Result(2, bytes: 1)
    }
    let stays = work.ask("stays", stamp: 0) { Work.Result(3, bytes: 1) }
    guard case .busy = work.ask("more", stamp: 0, compute: { Work.Result(4, bytes: 1) }) else {
      return #expect(Bool(false), "the line has room for two")
    }
    if case .coming(let ticket) = left { ticket.close() }
    gate.open()
    #expect(Self.value(first) == 1)
    #expect(Self.value(stays) == 3)
    #expect(gate.begun.load(ordering: .relaxed) == 1, "what nobody waits for is not begun")
  }

  @Test func `keeps no more than its limits of number, bytes and time`() {
    let now = SharedClock()
    let work = Self.work(threads: 1, keptMax: 3, keptBytesMax: 10, clock: { now.value })
    for key in 0..<9 {
      #expect(Self.value(work.ask("\(key)", stamp: 0) { Work.Result(key, bytes: 1) }) == key)
    }
    #expect(work.kept == (3, 3))
    #expect(Self.value(work.ask("large", stamp: 0) { Work.Result(1, bytes: 9) }) == 1)
    #expect(work.kept.bytes <= 10)
    #expect(Self.value(work.ask("larger", stamp: 0) { Work.Result(1, bytes: 11) }) == 1)
    #expect(work.kept.bytes <= 10, "what is larger than everything is not kept")
    let short = { work.ask("short", stamp: 0) { Work.Result(Int(now.value), bytes: 1, keptMilliseconds: 5) } }
    #expect(Self.value(short()) == 0)
    now.set(4_000_000)
    #expect(Self.value(short()) == 0)
    now.set(6_000_000)
    #expect(Self.value(short()) == 6_000_000)
  }

  private final class SharedClock: Sendable {
    private let time = Atomic<UInt64>(0)
    var value: UInt64 { time.load(ordering: .relaxed) }
    func set(_ value: UInt64) { time.store(value, ordering: .relaxed) }
  }
}
