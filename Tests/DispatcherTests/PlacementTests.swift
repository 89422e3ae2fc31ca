import Dispatcher
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder
import Testing

@Suite struct `The placement of workers` {
  /// A step that is worth one thread, and one that is worth thousands.
  private let small = 1e8, large = 1e14

  @Test func `gives fixed workers their threads`() {
    let placement = Placement.fixed(workers: 2, threads: 3)
    #expect(placement.hasRoom(besides: []) && placement.hasRoom(besides: [8]))
    #expect(!placement.hasRoom(besides: [1, 1]))
    for work in [nil, small, large] {
      #expect(placement.threads(stepWork: work, waiting: 5, besides: [1]) == 3)
    }
  }

  @Test func `gives a lone job all cores`() {
    for cores in [1, 2, 16] {
      for work in [nil, 0, small, large, .infinity, .nan] {
        #expect(
          Placement.automatic(cores: cores).threads(stepWork: work, waiting: 0, besides: []) == cores)
      }
    }
  }

  @Test func `shares the cores among small jobs that wait for each other, without a rest`() {
    for cores in 1...20 {
      for jobs in 1...40 {
        let placement = Placement.automatic(cores: cores)
        var running: [Int] = []
        var waiting = jobs
        while waiting > 0, placement.hasRoom(besides: running) {
          waiting -= 1
          running.append(placement.threads(stepWork: small, waiting: waiting, besides: running))
        }
        #expect(running.reduce(0, +) == cores)
        #expect(running.count == min(jobs, cores))
        #expect((running.max() ?? 0) - (running.min() ?? 0) <= 1)
      }
    }
  }

  @Test func `gives a large job its threads in spite of a queue`() {
    let placement = Placement.automatic(cores: 4)
    #expect(placement.threads(stepWork: large, waiting: 9, besides: []) == 4)
    #expect(!placement.hasRoom(besides: [4]))
    #expect(placement.threads(stepWork: large, waiting: 0, besides: [1]) == 4)
    #expect(placement.threads(stepWork: 2 * Placement.stepWorkPerThread, waiting: 9, besides: []) == 2)
  }

  @Test func `never asks for more cores than there are, or for none`() {
    let placement = Placement.automatic(cores: 3)
    for running in [[], [1], [3], [3, 2], [9]] {
      for waiting in [0, 1, 100] {
        for work in [nil, small, large, .infinity, -1, .nan] {
          let threads = placement.threads(stepWork: work, waiting: waiting, besides: running)
          #expect((1...3).contains(threads))
        }
      }
    }
  }

  /// Ends as soon as the file `go` is there.
  private static let waits = """
    say '{"event":"started","attempt":1,"step":0}'
    while [ ! -e "$RUN/../../go" ]; do sleep 0.01; done
    say '{"event":"end","state":"succeeded"}'
    """

  private func threads(of job: JobID, in bench: Bench) throws -> Int {
    try bench.folder(job).readSpec().threads
  }

  @Test func `is what workers get, also those that another daemon takes over`() throws {
    let bench = try Bench(script: Self.waits)
    let jobs = try (0..<3).map { _ in try bench.queue() }
    let first = try bench.start(placement: .automatic(cores: 2))
    for job in jobs.prefix(2) { _ = try bench.wait(for: job) { $0.ingestOffset > 0 } }
    #expect(try jobs.prefix(2).map { try threads(of: $0, in: bench) } == [1, 1])
    first.detach()
    let second = try bench.start(placement: .automatic(cores: 2))
    // Its workers have both cores.
    #expect(try bench.store.job(jobs[2])?.state == .queued)
    try AtomicFile.write([], to: "\(bench.data)/go")
    for job in jobs { #expect(try bench.wait(for: job) { $0.state.isFinished }.state == .succeeded) }
    let last = try bench.queue()
    _ = try bench.wait(for: last) { $0.state.isFinished }
    #expect(try threads(of: last, in: bench) == 2)
    second.stop()
  }

  @Test func `gives a large job of the queue all cores`() throws {
    let bench = try Bench(script: Self.waits)
    let cost = JobCost(work: Work(kind: "train", amount: 1e15, perImage: 1e12), stepImages: 256)
    let jobs = try (0..<2).map { _ in try bench.queue(cost: cost) }
    let dispatcher = try bench.start(placement: .automatic(cores: 2))
    _ = try bench.wait(for: jobs[0]) { $0.ingestOffset > 0 }
    #expect(try threads(of: jobs[0], in: bench) == 2)
    #expect(try bench.store.job(jobs[1])?.state == .queued)
    try AtomicFile.write([], to: "\(bench.data)/go")
    _ = try bench.wait(for: jobs[1]) { $0.state.isFinished }
    #expect(try threads(of: jobs[1], in: bench) == 2)
    dispatcher.stop()
  }
}
