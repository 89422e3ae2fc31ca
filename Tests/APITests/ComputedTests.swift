import API
import HTTP
import Platform
import Recipe
import RunFolder
import SharedWork
import Synchronization
import Testing

/// Datasets that are known once somebody has looked; the test says when.
private final class SlowDatasets: DatasetDirectory {
  private struct State {
    var found: [String: DatasetLook] = [:]
    var wakes: [String: [@Sendable () -> Void]] = [:]
    var asked: [String] = []
    var isBusy = false
  }
  private let state = Mutex(State())

  /// The names that were asked for, each time.
  var asked: [String] { state.withLock { $0.asked } }
  func names() -> [String] { ["one", "two"] }
  func isBusy(_ isBusy: Bool) { state.withLock { $0.isBusy = isBusy } }

  func find(_ name: String, isDamaged: Bool = false) {
    let look: DatasetLook =
      isDamaged
      ? .failure(DatasetRefusal(isAbsent: false, "\(name) is damaged"))
      : .success(
        DatasetSummary(name: name, classes: ["a"], counts: [.train: 1_000, .test: 10], shape: [3, 32, 32]))
    let wakes = state.withLock { state in
      state.found[name] = look
      return state.wakes.removeValue(forKey: name) ?? []
    }
    for wake in wakes { wake() }
  }

  func picture(
    name: String, split: DatasetSelection.Split, _ choice: PictureChoice
  ) -> Asked<PictureLook> {
    state.withLock { $0.isBusy } ? .busy : .known(.success([1]))
  }

  func look(_ name: String, _ depth: DatasetDepth) -> Asked<DatasetLook> {
    state.withLock { state in
      state.asked.append(name)
      if let look = state.found[name] { return .known(look) }
      if state.isBusy { return .busy }
      return .coming(
        Ticket(
          attach: { [self] wake in self.state.withLock { $0.wakes[name, default: []].append(wake) } },
          value: { [self] in self.state.withLock { $0.found[name] } }, close: {}))
    }
  }

  func picture(folder: String, split: DatasetSelection.Split, _ choice: PictureChoice) throws -> [UInt8]? {
    nil
  }
}

@Suite struct `Answers that are computed off the handlers` {
  private let datasets = SlowDatasets()
  private let fixture: APIFixture

  init() throws { fixture = try APIFixture(datasets: datasets) }

  private func pending(_ method: HTTP.Method, _ target: String, _ body: String = "") throws
    -> any PendingAnswer
  {
    guard case .pending(let pending) = fixture.respond(method, target, body).body else {
      throw SystemError(operation: "wait for", subject: target, errno: 0)
    }
    return pending
  }

  private func isIdle(_ pending: any PendingAnswer) throws -> Bool {
    if case .idle = try pending.next(mustAnswer: false) { true } else { false }
  }

  @Test func `a list of datasets waits for what is not known yet`() throws {
    let answer = try pending(.get, "/datasets")
    #expect(try isIdle(answer))
    datasets.find("one")
    #expect(try isIdle(answer))
    datasets.find("two", isDamaged: true)
    let list = APIFixture.answer(to: answer).json["datasets"]?.array ?? []
    #expect(list.map { $0["available"] } == [true, false])
    #expect(fixture.send(.get, "/datasets/two").status == 422)
    #expect(fixture.send(.get, "/datasets/two").json["detail"] == "two is damaged")
  }

  @Test func `a submission is queued when its datasets are known, and refused for a damaged one`() throws {
    let jobs = ["one", "two"].map { #"{"kind":"train","spec":{"dataset":{"name":"\#($0)"}}}"# }
    let answer = try pending(.post, "/jobs", #"{"jobs":[\#(jobs.joined(separator: ","))]}"#)
    #expect(try isIdle(answer))
    #expect(try fixture.store.list(limit: 9).isEmpty)
    datasets.find("one")
    #expect(try isIdle(answer))
    datasets.find("two")
    #expect(APIFixture.answer(to: answer).status == 201)
    #expect(try fixture.store.list(limit: 9).count == 2)
    #expect(datasets.asked.count <= 6, "\(datasets.asked)")

    datasets.find("three", isDamaged: true)
    let refused = fixture.send(.post, "/jobs", #"{"kind":"train","spec":{"dataset":{"name":"three"}}}"#)
    #expect(refused.status == 422)
    #expect(refused.errors["/spec/dataset/name"] == "three is damaged")
  }

  @Test func `who cannot be served now is told when to come again`() throws {
    let body = #"{"kind":"train","spec":{"dataset":{"name":"one"}}}"#
    for answer in [try pending(.post, "/jobs", body), try pending(.get, "/datasets/one")] {
      // The server stops before the dataset is known.
      guard case .answer(let response) = try answer.next(mustAnswer: true) else {
        #expect(Bool(false), "an answer must come")
        continue
      }
      #expect(response.status == 503 && response.headers["Retry-After"] == "2")
    }
    datasets.isBusy(true)
    for response in [fixture.respond(.post, "/jobs", body), fixture.respond(.get, "/datasets/one")] {
      #expect(response.status == 503 && response.headers["Retry-After"] == "2")
    }
    #expect(try fixture.store.list(limit: 9).isEmpty)
  }

  @Test func `a request waits for a bounded number of datasets`() throws {
    let jobs = (0..<300).map { #"{"kind":"train","spec":{"dataset":{"name":"d\#($0)"}}}"# }
    let answer = try pending(.post, "/jobs", #"{"jobs":[\#(jobs.joined(separator: ","))]}"#)
    #expect(datasets.asked.count == 16)
    for index in 0..<300 { datasets.find("d\(index)") }
    #expect(APIFixture.answer(to: answer).status == 201)
  }

  @Test func `the end of a log of a terabyte is found at once`() throws {
    datasets.find("one")
    let job = try fixture.post(#"{"kind":"train","spec":{"dataset":{"name":"one"}}}"#)
    let folder = RunFolder(data: fixture.data, job: job)
    try folder.create()
    let log = try File(folder.logPath, .readWrite)
    let bytes = 1 << 40
    try log.write(Array("\nlast line\n".utf8), at: bytes - 11)
    guard case .file(_, let offset, let count) = fixture.send(.get, "/jobs/\(job)/log?tail=1").body else {
      return #expect(Bool(false), "a part of a file")
    }
    #expect(offset == bytes - 10 && count == 10)
    guard case .file(_, _, let count) = fixture.send(.get, "/jobs/\(job)/log?tail=100000").body else {
      return #expect(Bool(false), "a part of a file")
    }
    #expect(count == 8 << 20)
  }

  @Test func `curves and lists of checkpoints are those of now`() throws {
    datasets.find("one")
    let job = try fixture.post(#"{"kind":"train","spec":{"dataset":{"name":"one"}}}"#)
    let claimed = try #require(try fixture.store.claimNext(bootID: "boot"))
    for step in 1...3 {
      try fixture.tell(
        job, attempt: claimed.attempt, [#"{"event":"metric","step":\#(step),"epoch":0,"loss":1}"#])
      for _ in 0..<2 {
        let curve = fixture.send(.get, "/jobs/\(job)/metrics?points=4").json["series"]?["loss"]?.array
        #expect(curve?.count == step)
      }
    }
    for step in 1...3 {
      let manifest = try fixture.checkpoint(job, step: step, "x")
      try fixture.tell(
        job, attempt: claimed.attempt,
        [
          "{\"event\":\"checkpoint\"," + manifest.json.text.dropFirst()
        ])
      let list = fixture.send(.get, "/jobs/\(job)/checkpoints").json["checkpoints"]?.array
      #expect(list?.count == step)
    }
  }
}
