import Dispatcher
import JobModel
import JobStore
import Platform
import RunFolder
import Testing

@Suite struct `The dispatcher's limits` {
  private static let endless = """
    trap 'say "{\\"event\\":\\"yielded\\",\\"step\\":3}"; exit 0' TERM
    trap 'say "{\\"event\\":\\"end\\",\\"state\\":\\"cancelled\\"}"; exit 0' USR1
    say '{"event":"started","attempt":1,"step":0}'
    while true; do sleep 0.01; done
    """

  @Test func `a worker without a sign of life is killed, and its job goes on`() throws {
    let bench = try Bench(
      script: """
        if [ -e "$RUN/twice" ]; then say '{"event":"end","state":"succeeded"}'; exit 0; fi
        touch "$RUN/twice"
        trap '' TERM INT USR1
        say '{"event":"started","attempt":1,"step":0}'
        while true; do sleep 0.01; done
        """)
    let job = try bench.queue()
    let dispatcher = try bench.start {
      $0.stallMilliseconds = 100
      $0.slowLookMilliseconds = 10
      // On a busy machine a later attempt may take as long to say its first word.
      $0.crashLimit = .max
    }
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .succeeded && record.attempt >= 2)
    let life = try bench.store.transitions(of: job, limit: 99)
    #expect(life.contains { $0.reason == .stalled && $0.to == .queued })
  }

  @Test func `a job over its time is ended gracefully and fails`() throws {
    let bench = try Bench(script: Self.endless)
    let job = try bench.queue(JobPolicy(maxDurationSeconds: 1))
    let dispatcher = try bench.start { $0.slowLookMilliseconds = 10 }
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .failed && record.reason == .maxDuration)
    #expect(record.ranMilliseconds >= 1000)
  }

  @Test func `what runs rests while space is short, and nothing is started`() throws {
    let bench = try Bench(script: Self.endless)
    let job = try bench.queue()
    let first = try bench.start { $0.slowLookMilliseconds = 10 }
    _ = try bench.wait(for: job) { $0.ingestOffset > 0 }
    first.detach()
    let second = try bench.start {
      $0.slowLookMilliseconds = 10
      $0.reserveBytes = .max / 2
    }
    #expect(try bench.wait(for: job) { $0.state == .paused }.reason == .diskFull)
    #expect(second.refusal?.contains("MiB of space are left") == true)
    let waiting = try bench.queue()
    second.wake()
    second.stop()
    #expect(try bench.store.job(waiting)?.attempt == 0)
    let third = try bench.start(workers: 2) { $0.slowLookMilliseconds = 10 }
    #expect(third.refusal == nil)
    #expect(try bench.wait(for: job) { $0.attempt == 2 && $0.ingestOffset > 0 }.state == .running)
    third.stop()
  }

  @Test func `a detached worker is adopted by the next daemon`() throws {
    let bench = try Bench(script: Self.endless)
    let job = try bench.queue()
    let first = try bench.start()
    _ = try bench.wait(for: job) { $0.ingestOffset > 0 }
    first.detach()
    #expect(try bench.folder(job).isAlive())
    let second = try bench.start()
    #expect(try bench.store.job(job)?.attempt == 1)
    second.stop()
    #expect(try bench.store.job(job)?.reason == .yielded)
  }

  @Test func `a job waits for memory, and starts when there is enough`() throws {
    let bench = try Bench(script: "say '{\"event\":\"end\",\"state\":\"succeeded\"}'")
    let job = try bench.queue()
    let first = try bench.start { $0.memoryBytes = { _ in .max } }
    let waiting = try bench.wait(for: job) { $0.reason == .outOfMemory }
    first.stop()
    #expect(waiting.state == .queued && waiting.notBeforeMilliseconds > 0)
    let other = try bench.queue()
    let second = try bench.start {
      $0.memoryBytes = { _ in 1 }
      $0.memoryWaitMilliseconds = 10
    }
    #expect(try bench.wait(for: other) { $0.state.isFinished }.state == .succeeded)
    second.stop()
  }

  @Test func `a claim whose worker was never started costs no crash`() throws {
    let bench = try Bench(script: "say '{\"event\":\"end\",\"state\":\"succeeded\"}'")
    let job = try bench.queue()
    _ = try bench.store.claimNext(bootID: "earlier")
    let dispatcher = try bench.start()
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .succeeded && record.attempt == 2 && record.crashes == 0)
  }

  @Test func `events that the machine has lost are told anew`() throws {
    let bench = try Bench(
      script: """
        say '{"event":"started","attempt":2,"step":0}'
        say '{"event":"metric","step":1,"epoch":0,"inv":0.5}'
        say '{"event":"end","state":"succeeded"}'
        """)
    let job = try bench.queue()
    let claimed = try #require(try bench.store.claimNext(bootID: "earlier"))
    let lines = (1...20).map { #"{"event":"metric","step":\#($0),"epoch":0,"inv":0.1}"# }
    _ = try bench.store.ingest(job, attempt: claimed.attempt, from: 0, to: 1_000, lines: lines)
    let dispatcher = try bench.start()
    _ = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(try bench.store.lines(job, limit: 99).map(\.event) == ["started", "metric", "end"])
  }

  @Test func `files of a deletion that was interrupted go when the daemon starts`() throws {
    let bench = try Bench(script: "exit 0")
    let job = try bench.queue()
    try bench.folder(job).create()
    _ = try bench.store.requestCancel(job, mode: .now)
    try bench.store.delete(job)
    let dispatcher = try bench.start()
    dispatcher.stop()
    #expect(!FileSystem.exists(bench.folder(job).path))
    #expect(try bench.store.unfinishedDeletions().isEmpty)
  }
}
