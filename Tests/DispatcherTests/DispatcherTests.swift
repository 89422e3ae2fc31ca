import Dispatcher
import JobModel
import JobStore
import Platform
import RunFolder
import Testing

@Suite struct `The dispatcher` {
  @Test func `runs a queued job and stores its lines and its end`() throws {
    let bench = try Bench(
      script: """
        say '{"event":"started","attempt":1,"step":0}'
        say '{"event":"metric","step":1,"epoch":0,"inv":0.5}'
        say '{"event":"end","state":"succeeded"}'
        """)
    let job = try bench.queue()
    let dispatcher = try bench.start()
    let record = try bench.wait(for: job) { $0.state.isFinished }
    #expect(record.state == .succeeded)
    #expect(record.attempt == 1)
    #expect(try bench.store.lines(job, limit: 10).map(\.event) == ["started", "metric", "end"])
    dispatcher.stop()
  }

  @Test func `writes what the worker has to do before it starts it`() throws {
    let bench = try Bench(script: "say '{\"event\":\"end\",\"state\":\"succeeded\"}'")
    let job = try bench.queue()
    let dispatcher = try bench.start()
    _ = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    let spec = try bench.folder(job).readSpec()
    #expect(spec.job == job)
    #expect(spec.attempt == 1)
    #expect(spec.threads == 2)
    #expect(spec.resumeFrom == nil)
    #expect(spec.specification == .train(.preset(.small)))
  }

  @Test func `starts the job of a worker that died again, from its last checkpoint`() throws {
    let bench = try Bench(
      script: """
        if [ -e "$RUN/twice" ]; then say '{"event":"end","state":"succeeded"}'; exit 0; fi
        touch "$RUN/twice"
        kill -KILL $$
        """)
    let job = try bench.queue()
    let manifest = try bench.storeCheckpoint(of: job, step: 40)
    let dispatcher = try bench.start()
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .succeeded)
    #expect(record.attempt == 2)
    #expect(record.crashes == 1)
    #expect(try bench.folder(job).readSpec().resumeFrom?.hasSuffix(manifest.name) == true)
  }

  @Test func `fails a job whose workers die three times without a new checkpoint`() throws {
    let bench = try Bench(script: "exit 1")
    let job = try bench.queue()
    let dispatcher = try bench.start()
    let record = try bench.wait(for: job) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .failed)
    #expect(record.reason == .crashLoop)
    #expect(record.attempt == 3)
    #expect(record.message?.contains("exited with code 1") == true)
  }

  @Test func `keeps to its number of workers`() throws {
    let bench = try Bench(
      script: """
        say '{"event":"started","attempt":1,"step":0}'
        until [ -e "$RUN/go" ]; do sleep 0.01; done
        say '{"event":"end","state":"succeeded"}'
        """)
    let jobs = try (0..<3).map { _ in try bench.queue() }
    let dispatcher = try bench.start(workers: 2)
    for job in jobs[..<2] { _ = try bench.wait(for: job) { $0.latest != nil || $0.ingestOffset > 0 } }
    #expect(try bench.store.job(jobs[2])?.state == .queued)
    for job in jobs {
      try bench.folder(job).create()
      try AtomicFile.write([], to: bench.folder(job).path + "/go")
    }
    for job in jobs { #expect(try bench.wait(for: job) { $0.state.isFinished }.state == .succeeded) }
    dispatcher.stop()
  }

  @Test func `asks for a graceful end by SIGUSR1 and for an immediate one by SIGINT`() throws {
    let bench = try Bench(
      script: """
        leave() { say '{"event":"end","state":"cancelled","message":"'$1'"}'; exit 0; }
        trap 'leave gracefully' USR1
        trap 'leave now' INT
        say '{"event":"started","attempt":1,"step":0}'
        while true; do sleep 0.01; done
        """)
    let jobs = try [bench.queue(), bench.queue()]
    let dispatcher = try bench.start(workers: 2)
    for (job, mode) in zip(jobs, [CancelMode.graceful, .now]) {
      _ = try bench.wait(for: job) { $0.ingestOffset > 0 }
      _ = try bench.store.requestCancel(job, mode: mode)
      dispatcher.wake()
    }
    let records = try jobs.map { try bench.wait(for: $0) { $0.state.isFinished } }
    dispatcher.stop()
    #expect(records.map(\.state) == [.cancelled, .cancelled])
    #expect(records.map(\.message) == ["gracefully", "now"])
    #expect(records.map(\.reason) == [.userCancelled, .userCancelled])
  }

  @Test func `kills a worker that does not hear an immediate cancel`() throws {
    let bench = try Bench(
      script: """
        trap '' INT
        say '{"event":"started","attempt":1,"step":0}'
        while true; do sleep 0.01; done
        """)
    let job = try bench.queue()
    let dispatcher = try bench.start { $0.killGraceMilliseconds = 50 }
    _ = try bench.wait(for: job) { $0.ingestOffset > 0 }
    _ = try bench.store.requestCancel(job, mode: .now)
    dispatcher.wake()
    #expect(try bench.wait(for: job) { $0.state.isFinished }.state == .cancelled)
    dispatcher.stop()
  }

  @Test func `fails an evaluation whose checkpoint is gone, with the reason`() throws {
    let bench = try Bench(script: "say '{\"event\":\"end\",\"state\":\"succeeded\"}'")
    let training = try bench.queue()
    let evaluation = try bench.queueEvaluation(of: training)
    #expect(try bench.store.job(evaluation)?.state == .blocked)
    let dispatcher = try bench.start()
    let record = try bench.wait(for: evaluation) { $0.state.isFinished }
    dispatcher.stop()
    #expect(record.state == .failed)
    #expect(record.reason == .badInput)
    #expect(record.message?.contains(training.text) == true)
  }
}
