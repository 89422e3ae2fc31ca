import JSONText
import JobModel
import Platform
import Recipe
import Testing

@testable import JobStore

@Suite struct `The pace of a run` {
  private func expectNothing(_ pace: inout Pace, step: Int, atMilliseconds: Int) {
    let counted = pace.take(step: step, atMilliseconds: atMilliseconds)
    #expect(counted == nil)
  }

  @Test func `is nothing before the first steps`() {
    let pace = Pace(beginningAfter: 7, atMilliseconds: 1000)
    #expect(pace.stepsPerSecond == nil)
    #expect(pace.finishMilliseconds(steps: 100) == nil)
  }

  @Test func `is the steps by the seconds where these are always the same`() throws {
    var pace = Pace(beginningAfter: 0, atMilliseconds: 0)
    for second in 1...300 {
      let counted = pace.take(step: 4 * second, atMilliseconds: 1000 * second)
      #expect(counted?.steps == 4 && counted?.seconds == 1)
    }
    #expect(abs(try #require(pace.stepsPerSecond) - 4) < 1e-9)
    #expect(pace.finishMilliseconds(steps: 2000) == 500_000)
    #expect(pace.finishMilliseconds(steps: 1200) == 300_000)
    #expect(pace.finishMilliseconds(steps: 1) == 300_000)
  }

  @Test func `forgets within minutes, not at once`() throws {
    var pace = Pace(beginningAfter: 0, atMilliseconds: 0)
    _ = pace.take(step: 6000, atMilliseconds: 600_000)
    // From ten steps a second to one.
    _ = pace.take(step: 6001, atMilliseconds: 601_000)
    #expect(try #require(pace.stepsPerSecond) > 9.8)
    _ = pace.take(step: 6060, atMilliseconds: 660_000)
    #expect(abs(try #require(pace.stepsPerSecond) - (1 + 9 * Mathematics.exponential(-1))) < 0.01)
    _ = pace.take(step: 6300, atMilliseconds: 900_000)
    #expect(abs(try #require(pace.stepsPerSecond) - 1) < 0.1)
  }

  @Test func `does not depend on how often it is told`() throws {
    var often = Pace(beginningAfter: 0, atMilliseconds: 0)
    var seldom = often
    for second in 1...120 { _ = often.take(step: second, atMilliseconds: 1000 * second) }
    for second in [50, 120] { _ = seldom.take(step: second, atMilliseconds: 1000 * second) }
    #expect(abs(try #require(often.stepsPerSecond) - (try #require(seldom.stepsPerSecond))) < 1e-9)
  }

  @Test func `counts nothing where no time has passed, the clock was set back, or steps are repeated`() throws
  {
    var pace = Pace(beginningAfter: 0, atMilliseconds: 10_000)
    _ = pace.take(step: 10, atMilliseconds: 20_000)
    let before = pace
    expectNothing(&pace, step: 20, atMilliseconds: 20_000)
    #expect(pace == before)
    expectNothing(&pace, step: 20, atMilliseconds: 5_000)
    #expect(pace.stepsPerSecond == before.stepsPerSecond && pace.atMilliseconds == 5_000)
    expectNothing(&pace, step: 15, atMilliseconds: 6_000)
    let counted = pace.take(step: 16, atMilliseconds: 7_000)
    #expect(counted?.steps == 1 && counted?.seconds == 1)
  }

  @Test func `has no end that no clock can show`() {
    var pace = Pace(beginningAfter: 0, atMilliseconds: 0)
    _ = pace.take(step: 1, atMilliseconds: 315_360_000_000)
    #expect(pace.finishMilliseconds(steps: RecordedRange.countMax) == nil)
  }
}

@Suite struct `The rates of a machine` {
  private func work(_ amount: Double, perImage: Double = 1024, kind: String = "train") -> Work {
    Work(kind: kind, amount: amount, perImage: perImage)
  }

  @Test func `say nothing of work that it never did`() {
    var rates = MeasuredRates()
    #expect(rates.seconds(for: work(1e9)) == nil)
    rates.set(.init(work: 1e6, seconds: 2), kind: "evaluate logistic", size: 20)
    #expect(rates.seconds(for: work(1e9)) == nil)
  }

  @Test func `scale by the work, and prefer the same size to the nearest`() {
    var rates = MeasuredRates()
    rates.set(.init(work: 100, seconds: 1), kind: "train", size: work(1).size)
    #expect(rates.seconds(for: work(1000)) == 10)
    #expect(rates.seconds(for: work(1000, perImage: 1e9)) == 10)
    rates.set(.init(work: 400, seconds: 1), kind: "train", size: work(1, perImage: 1e8).size)
    #expect(rates.seconds(for: work(1000, perImage: 1e9)) == 2.5)
    #expect(rates.seconds(for: work(1000, perImage: 1100)) == 10)
  }

  @Test(arguments: [
    (1, 0), (1.4, 0), (1.42, 1), (2, 2), (1024, 20), (1500, 21), (0, 0), (-5, 0), (Double.infinity, 0),
    (.nan, 0),
  ])
  func `know sizes by half octaves`(perImage: Double, size: Int) {
    #expect(work(1, perImage: perImage).size == size)
  }

  @Test func `are the work by the time of the last half hour of such work`() {
    var sum = MeasuredRates.Sum()
    sum.add(work: 100, seconds: 10)
    sum.add(work: 300, seconds: 10)
    #expect(sum == .init(work: 400, seconds: 20))
    sum.add(work: 1780 * 5, seconds: 1780)
    #expect(sum.seconds == 1800 && sum.work == 400 + 8900)
    sum.add(work: 9000, seconds: 900)
    #expect(sum.seconds == 1800 && abs(sum.work - (4650 + 9000)) < 1e-6)
    sum.add(work: 7200, seconds: 7200)
    #expect(sum.seconds == 7200 && sum.work == 7200)
  }

  @Test(arguments: [(0, 1), (1, 0), (-1, 1), (1, -1), (Double.nan, 1), (1, .infinity)])
  func `take nothing that is no measurement`(work: Double, seconds: Double) {
    var sum = MeasuredRates.Sum(work: 1, seconds: 1)
    sum.add(work: work, seconds: seconds)
    #expect(sum == .init(work: 1, seconds: 1))
  }
}

@Suite struct `What the store knows of time` {
  private let fixture: StoreFixture

  init() throws { fixture = try StoreFixture(machine: JobHost(cpu: "C", threads: 2, isa: "avx2").rateKey) }

  private func cost(_ amount: Double, kind: String = "train", stepImages: Int? = 10) -> JobCost {
    JobCost(
      memoryBytes: 5, diskBytes: 6, work: Work(kind: kind, amount: amount, perImage: 1024), epochs: 3,
      stepImages: stepImages)
  }

  private func queue(_ cost: JobCost, evaluating job: JobID? = nil) throws -> JobRecord {
    fixture.now.advance(by: 1)
    var specification = JobSpecification.train(.preset(.small))
    if let job {
      specification = .evaluate(try EvaluateSpecification.parse(["checkpoint": ["job": .string(job.text)]]))
    }
    var new = NewJob(
      id: fixture.store.newID(), labelling: JobLabelling(), specification: specification, steps: 100)
    new.cost = cost
    return try require(fixture.store.enqueue([new]).first)
  }

  private func tell(_ job: JobRecord, _ lines: [String], ranMilliseconds: Int = 0) throws {
    let start = try fixture.job(job.id).ingestOffset
    let end = start + lines.reduce(0) { $0 + $1.utf8.count + 1 }
    let outcome = try fixture.store.ingest(
      job.id, attempt: job.attempt, from: start, to: end, lines: lines, ranMilliseconds: ranMilliseconds)
    #expect(outcome != .stale)
  }

  private var time: String { SystemClock.rfc3339(unixMilliseconds: fixture.now.read()) }
  private var started: String {
    #"{"event":"started","time":"\#(time)","attempt":1,"step":0,"steps":100,"epochs":4,"cpu":"C","cores":4,"#
      + #""threads":2,"isa":"avx2","memory_bytes":1024,"version":"1"}"#
  }
  private func metric(_ step: Int) -> String {
    #"{"event":"metric","step":\#(step),"epoch":0,"time":"\#(time)"}"#
  }

  @Test func `a cost is kept as it was found`() throws {
    let job = try queue(cost(1e6))
    #expect(job.cost == cost(1e6) && job.host == nil && job.pace == nil)
    #expect(try fixture.job(job.id).cost == cost(1e6))
    #expect(try fixture.store.list(limit: 1).first?.cost == cost(1e6))
    #expect(try queue(JobCost()).cost == JobCost())
  }

  @Test func `a training that runs measures the machine, also for a store that is opened later`() throws {
    _ = try queue(cost(1e6))
    let job = try fixture.claim()
    #expect(job.claimedEstimateMilliseconds == nil)
    try tell(job, [started])
    #expect(
      try fixture.store.measuredRates().seconds(for: Work(kind: "train", amount: 1, perImage: 1024)) == nil)
    fixture.now.advance(by: 20_000)
    try tell(job, [metric(1), metric(10)])
    // A tenth of the work took 20 seconds.
    let work = Work(kind: "train", amount: 2e6, perImage: 1024)
    #expect(abs(try #require(fixture.store.measuredRates().seconds(for: work)) - 400) < 1e-6)
    let later = try fixture.reopened()
    #expect(abs(try #require(later.measuredRates().seconds(for: work)) - 400) < 1e-6)
    let record = try fixture.job(job.id)
    #expect(
      record.host == JobHost(cpu: "C", cores: 4, threads: 2, isa: "avx2", memoryBytes: 1024, version: "1"))
    #expect(record.cost.epochs == 4)
    #expect(record.pace?.finishMilliseconds(steps: 100) == fixture.now.read() + 180_000)
    // The next job's estimate is kept as it was when it was claimed.
    let next = try queue(cost(3e6))
    #expect(try fixture.claim().id == next.id)
    #expect(abs(try #require(fixture.job(next.id).claimedEstimateMilliseconds) - 600_000) <= 1)
  }

  @Test func `a training on another machine measures that one`() throws {
    _ = try queue(cost(1e6))
    let job = try fixture.claim()
    try tell(job, [started.replacing("\"threads\":2", with: "\"threads\":3")])
    fixture.now.advance(by: 20_000)
    try tell(job, [metric(10)])
    #expect(try fixture.store.measuredRates() == MeasuredRates())
  }

  @Test func `an evaluation measures the machine when it has succeeded, and its result has its seconds`()
    throws
  {
    let training = try queue(cost(1e6))
    let trained = try fixture.claim()
    try fixture.store.transition(trained.id, attempt: 1, to: .succeeded)
    _ = try queue(cost(500, kind: "evaluate", stepImages: nil), evaluating: training.id)
    let job = try fixture.claim()
    try tell(job, [started, metric(50)], ranMilliseconds: 3_000)
    let work = Work(kind: "evaluate", amount: 1000, perImage: 1024)
    #expect(try fixture.store.measuredRates().seconds(for: work) == nil)
    try tell(job, [#"{"event":"result","result":{"top1":0.5}}"#], ranMilliseconds: 4_000)
    try tell(job, [#"{"event":"end","state":"succeeded"}"#], ranMilliseconds: 5_000)
    #expect(try fixture.store.measuredRates().seconds(for: work) == 10)
    let result = try JSON.parse(try #require(fixture.job(job.id).result))
    #expect(result["seconds"] == 4 && result["top1"] == 0.5)
  }

  @Test func `running time counts attempts, not the queue, pauses, or the time without a daemon`() throws {
    let job = try queue(cost(1e6))
    func running(_ store: JobStore? = nil) throws -> Int {
      try require((store ?? fixture.store).job(job.id)).runningMilliseconds(at: fixture.now.read())
    }
    fixture.now.advance(by: 50_000)
    #expect(try running() == 0)
    var claimed = try fixture.claim()
    fixture.now.advance(by: 7_000)
    #expect(try running() == 7_000)
    // An adopted worker goes on under the next daemon.
    let store = try fixture.reopened()
    _ = try store.adopt(job.id, attempt: claimed.attempt, bootID: "next")
    fixture.now.advance(by: 1_000)
    #expect(try running(store) == 8_000)
    _ = try store.requestPause(job.id)
    fixture.now.advance(by: 2_000)
    #expect(try running(store) == 10_000)
    _ = try store.settle(job.id, attempt: claimed.attempt, .yielded, crashLimit: 3, ranMilliseconds: 10_000)
    #expect(try fixture.job(job.id).state == .paused)
    fixture.now.advance(by: 3_600_000)
    #expect(try running(store) == 10_000)
    _ = try store.resume(job.id)
    claimed = try require(store.claimNext(bootID: "next"))
    fixture.now.advance(by: 5_000)
    #expect(try running(store) == 15_000)
    // Its worker dies with the machine; the daemon is back an hour later, and knows how long it had run.
    fixture.now.advance(by: 3_600_000)
    _ = try store.settle(job.id, attempt: claimed.attempt, .died, crashLimit: 3, ranMilliseconds: 6_000)
    #expect(try running(store) == 16_000)
    fixture.now.advance(by: 600_000)
    claimed = try require(store.claimNext(bootID: "next"))
    try store.transition(job.id, attempt: claimed.attempt, to: .failed, reason: .badInput)
    #expect(try running(store) == 16_000)
    // A retry begins the limit of its running time anew, and goes on counting.
    _ = try store.retry(job.id)
    claimed = try require(store.claimNext(bootID: "next"))
    #expect(claimed.ranMilliseconds == 0)
    try tell(claimed, [started, #"{"event":"end","state":"succeeded"}"#], ranMilliseconds: 4_000)
    fixture.now.advance(by: 600_000)
    #expect(try running(store) == 20_000)
  }
}
