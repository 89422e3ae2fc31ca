import JSONText
import Platform
import Testing
import Text

/// A dataset that is changed while a job rests (issue 15, A2).
@Suite(.serialized) struct `A dataset that changes` {
  /// A folder of IDX files below a root, which goes with the value.
  private final class Digits {
    let root: String
    var name: String { "mnist-idx:\(root)/digits" }

    init(train: Int = 16) throws {
      let folder = try FileSystem.resolve(FileSystem.temporaryDirectory)
      root = "\(folder)/vicregd-changes-\(UInt64.random(in: 0 ... .max))"
      try FileSystem.makeDirectories("\(root)/digits")
      try write("train", count: train)
      try write("t10k", count: 8)
    }

    /// Replaces a split; other seeds give other pixels.
    func write(_ prefix: String, count: Int, seed: Int = 31, firstLabel: UInt8 = 0) throws {
      let (high, low) = (UInt8(count >> 8), UInt8(count & 255))
      let header: [UInt8] = [0, 0, 8, 3, 0, 0, high, low, 0, 0, 0, 8, 0, 0, 0, 8]
      let pixels = (0..<64 * count).map { UInt8(truncatingIfNeeded: $0 &* seed) }
      try AtomicFile.write(header + pixels, to: "\(root)/digits/\(prefix)-images-idx3-ubyte")
      let labels = (0..<count).map { $0 == 0 ? firstLabel : UInt8($0 % 4) }
      try AtomicFile.write(
        [0, 0, 8, 1, 0, 0, high, low] + labels, to: "\(root)/digits/\(prefix)-labels-idx1-ubyte")
    }

    func daemon() throws -> Daemon {
      try Daemon(arguments: ["--workers", "1", "--threads-per-worker", "1", "--dataset-root", root])
    }

    /// A training of all images.
    func job(epochs: Int) throws -> JSON {
      var body = try #require(SmallRun.job(epochs: epochs).object)
      var spec = try #require(body["spec"]?.object)
      spec["dataset"] = ["name": .string(name)]
      body["spec"] = .object(spec)
      return .object(body)
    }

    // A folder that stays behind in the temporary directory harms no test.
    deinit { try? FileSystem.removeTree(root) }
  }

  private func pause(_ job: String, _ daemon: Daemon) throws {
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 >= 3 }
    #expect(try daemon.request("POST", "/jobs/\(job)/pause").status == 202)
    try daemon.job(job) { $0["state"] == "paused" }
  }

  private func expectFailure(_ job: String, _ text: String, _ daemon: Daemon) throws {
    let record = try daemon.finishedJob(job)
    #expect(record["state"] == "failed" && record["reason"] == "dataset_changed", "\(record.text)")
    #expect(record["message"]?.string?.string.contains(text) == true, "\(record.text)")
  }

  @Test func `while a training is paused fails it, until the old one is back`() throws {
    let digits = try Digits()
    let daemon = try digits.daemon()
    let job = try daemon.queue(digits.job(epochs: 100_000))
    try pause(job, daemon)
    let images = "\(digits.root)/digits/train-images-idx3-ubyte"
    let changes: [(String, () throws -> Void)] = [
      ("train images: 16 at the first start, 512 now", { try digits.write("train", count: 512) }),
      ("the pixels of the train images differ", { try digits.write("train", count: 16, seed: 7) }),
      ("the labels of the train images differ", { try digits.write("train", count: 16, firstLabel: 2) }),
      ("classes: 4 at the first start, 10 now", { try digits.write("train", count: 16, firstLabel: 9) }),
      ("has changed since the first start: ", { try AtomicFile.write([0, 0, 8, 3], to: images) }),
      ("has changed since the first start: ", { try FileSystem.remove(images) }),
    ]
    for (index, (text, change)) in changes.enumerated() {
      try change()
      let request = index == 0 ? "resume" : "retry"
      #expect(try daemon.request("POST", "/jobs/\(job)/\(request)").status == 202)
      try expectFailure(job, text, daemon)
    }
    // Split `test` is nothing that this training reads.
    try digits.write("t10k", count: 4)
    try digits.write("train", count: 16)
    #expect(try daemon.request("POST", "/jobs/\(job)/retry").status == 202)
    try daemon.job(job) { $0["state"] == "running" && $0["progress"]?["step"]?.int ?? 0 >= 8 }
  }

  @Test func `before the first start fails the job as well`() throws {
    let digits = try Digits()
    let daemon = try digits.daemon()
    let busy = try daemon.queue(SmallRun.job(epochs: 100_000))
    let jobs = try (0..<2).map { _ in try daemon.queue(digits.job(epochs: 2)) }
    try digits.write("train", count: 16, seed: 7)
    try daemon.kill()
    try daemon.start()
    #expect(try daemon.request("POST", "/jobs/\(busy)/cancel", #"{"mode":"now"}"#).status == 202)
    for job in jobs { try expectFailure(job, "the pixels of the train images differ", daemon) }
    let new = try daemon.queue(digits.job(epochs: 2))
    #expect(try daemon.finishedJob(new)["state"] == "succeeded")
    try digits.write("train", count: 16)
    #expect(try daemon.request("POST", "/jobs/\(jobs[0])/retry").status == 202)
    #expect(try daemon.finishedJob(jobs[0])["state"] == "succeeded")
  }

  @Test func `fails an evaluation by either split, and its result has the digests`() throws {
    let digits = try Digits()
    let daemon = try digits.daemon()
    let training = try daemon.queue(digits.job(epochs: 2))
    let body: JSON = [
      "kind": "evaluate",
      "spec": ["checkpoint": ["job": .string(training)], "protocol": "logistic"],
    ]
    #expect(try daemon.finishedJob(training)["state"] == "succeeded")
    let record = try daemon.finishedJob(daemon.queue(body))
    let encoded = digits.name.utf8.map { $0 == UInt8(ascii: "/") ? "%2F" : String(UnicodeScalar($0)) }
    let dataset = try daemon.get("/datasets/\(encoded.joined())")
    #expect(dataset["digest"]?.string?.count == 64)
    #expect(record["result"]?["dataset_digest"] == dataset["digest"], "\(record.text)")
    #expect(try record["result"]?["checkpoint_sha256"]?.string?.string == daemon.lastDigest(training))
    let busy = try daemon.queue(SmallRun.job(epochs: 100_000))
    try daemon.job(busy) { $0["state"] == "running" }
    let second = try daemon.queue(body)
    try digits.write("t10k", count: 9)
    #expect(try daemon.request("POST", "/jobs/\(busy)/cancel", #"{"mode":"now"}"#).status == 202)
    try expectFailure(second, "test images: 8 when the job was queued, 9 now", daemon)
  }

  @Test func `that nobody can use is refused when the job is posted`() throws {
    let digits = try Digits()
    let daemon = try digits.daemon()
    func refusal(_ job: JSON) throws -> String {
      let answer = try daemon.request("POST", "/jobs", job.text)
      #expect(answer.status == 422, "\(answer.text)")
      return answer.text
    }
    try digits.write("t10k", count: 8, firstLabel: 9)
    #expect(try refusal(digits.job(epochs: 2)).contains("expected a label of 0 to 3, found 9"))
    try digits.write("t10k", count: 8)
    let path = "\(digits.root)/digits/train-images-idx3-ubyte"
    try AtomicFile.write(File(path, .read).readAll() + [1, 2, 3], to: path)
    #expect(try refusal(digits.job(epochs: 2)).contains("expected the end of the file, found 3 more bytes"))
    for prefix in ["train", "t10k"] { try digits.write(prefix, count: 1) }
    #expect(try refusal(digits.job(epochs: 2)).contains("must have at least 2 images"))
    try AtomicFile.write([0x80, 2], to: "\(digits.root)/data_batch_1")
    let cifar = SmallRun.job(dataset: "cifar10:\(digits.root)")
    #expect(try refusal(cifar).contains("Python version of CIFAR-10"))
  }
}
