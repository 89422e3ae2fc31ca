@testable import HTTPServer
import Testing

@Suite struct `Fair schedule` {
  private func order(_ schedule: inout FairSchedule<String, Int>) -> [Int] {
    var taken: [Int] = []
    while let next = schedule.next() {
      taken.append(next.work)
      schedule.finished(lane: next.lane)
    }
    return taken
  }

  @Test func `lets clients take turns and keeps each one's order`() {
    var schedule = FairSchedule<String, Int>(runningMaxima: [4])
    for work in 0..<100 { schedule.add(work, lane: 0, client: "flood") }
    schedule.add(1_000, lane: 0, client: "other")
    schedule.add(1_001, lane: 0, client: "other")
    let order = order(&schedule)
    #expect(order.filter { $0 < 1_000 } == Array(0..<100))
    #expect(order.prefix(4) == [0, 1_000, 1, 1_001])
    #expect(schedule.count == 0)
  }

  @Test func `runs no more of a lane than it may, and other lanes go on`() throws {
    var schedule = FairSchedule<String, Int>(runningMaxima: [4, 1])
    for work in 0..<3 { schedule.add(work, lane: 1, client: "a") }
    #expect(schedule.next()?.work == 0)
    #expect(schedule.next() == nil)
    schedule.add(10, lane: 0, client: "a")
    #expect(schedule.next()?.work == 10)
    schedule.finished(lane: 1)
    #expect(schedule.next()?.work == 1)
  }

  @Test func `forgets what is taken back, and the client's next work has one turn`() {
    var schedule = FairSchedule<String, Int>(runningMaxima: [4, 4])
    for work in 0..<6 { schedule.add(work, lane: work % 2, client: "a") }
    #expect(schedule.remove(client: "a") { $0 != 3 }.sorted() == [0, 1, 2, 4, 5])
    #expect(schedule.count == 1 && schedule.count(of: "a", in: 0..<1) == 0)
    #expect(schedule.remove(client: "b") { _ in true } == [])
    schedule.add(7, lane: 0, client: "a")
    schedule.add(8, lane: 0, client: "b")
    schedule.add(9, lane: 0, client: "a")
    #expect(Set(order(&schedule)) == [3, 7, 8, 9])
    #expect(schedule.next() == nil)
  }
}
