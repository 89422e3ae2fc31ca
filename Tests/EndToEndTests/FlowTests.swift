import Crypto
import Gzip
import JSONText
import Platform
import Testing
import Text

@Suite(.serialized) struct `From request to result` {
  @Test func `a training can be watched to its end, downloaded, and evaluated`() throws {
    let daemon = try Daemon()
    let training = try daemon.queue(SmallRun.job())
    let evaluation = try daemon.queue(SmallRun.evaluation(of: training))
    #expect(try daemon.get("/jobs/\(evaluation)")["state"] == "blocked")

    let stream = try daemon.request("GET", "/jobs/\(training)/metrics?follow=true")
    #expect(stream.fields["content-type"] == "application/x-ndjson")
    #expect(stream.events.last?["event"] == "end")
    #expect(stream.events.last?["state"] == "succeeded")
    let metrics = stream.events.filter { $0["event"] == "metric" }
    #expect(metrics.compactMap { $0["step"]?.int } == Array(1...SmallRun.steps))
    let keys: [ByteString] = [
      "inv", "var", "cov", "loss", "std_mean", "std_min", "grad_norm", "lr", "images_per_second",
    ]
    for key in keys {
      #expect(metrics.allSatisfy { $0[key]?.double != nil }, "\(key) is a number in each line")
    }

    let checkpoints = try #require(try daemon.get("/jobs/\(training)/checkpoints")["checkpoints"]?.array)
    #expect(
      checkpoints.compactMap { $0["step"]?.int } == [
        SmallRun.steps - SmallRun.stepsPerCheckpoint, SmallRun.steps,
      ])
    try expectDownload(checkpoints[1], of: training, from: daemon)

    let result = try daemon.finishedJob(evaluation)
    #expect(result["state"] == "succeeded", "\(result.text)")
    #expect(result["result"]?["top1"]?.double.map((0...1).contains) == true, "\(result.text)")
    for key: ByteString in ["raw_pixels", "untrained"] {
      #expect(result["result"]?["baselines"]?[key]?.double.map((0...1).contains) == true, "\(result.text)")
    }
  }

  private func expectDownload(_ checkpoint: JSON, of job: String, from daemon: Daemon) throws {
    let name = try #require(checkpoint["name"]?.string)
    let download = try daemon.request("GET", "/jobs/\(job)/checkpoints/\(name)")
    #expect(download.status == 200)
    #expect(hexadecimal(SHA256.digest(of: download.body)) == checkpoint["sha256"]?.string?.string)
    let path = "\(daemon.data)/download.gz"
    try AtomicFile.write(download.body, to: path)
    let bytes = try Gzip.decompressFile(path, limitBytes: 1 << 30)
    // safetensors: eight bytes of little-endian length, then that much JSON.
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSON.parse(Array(bytes[8..<(8 + length)]))
    #expect(header["encoder.conv1.weight"]?["shape"] == [16, 3, 3, 3])
    #expect(header["projector.0.weight"]?["dtype"] == "F32")
  }

  @Test func `a graceful cancel leaves a checkpoint, and asking twice is harmless`() throws {
    let daemon = try Daemon()
    let job = try daemon.queue(SmallRun.job(epochs: 10_000))
    try daemon.job(job) { $0["progress"]?["step"]?.int ?? 0 >= 1 }
    for _ in 0..<2 {
      #expect(try daemon.request("POST", "/jobs/\(job)/cancel", #"{"mode":"graceful"}"#).status == 202)
    }
    let record = try daemon.finishedJob(job)
    #expect(record["state"] == "cancelled")
    #expect(record["reason"] == "user_cancelled")
    #expect(try !daemon.lastDigest(job).isEmpty)
  }

  @Test func `an immediate cancel ends a job, and a queued one never starts`() throws {
    let daemon = try Daemon()
    let running = try daemon.queue(SmallRun.job(epochs: 10_000))
    let waiting = try daemon.queue(SmallRun.job(epochs: 10_000))
    try daemon.job(running) { $0["progress"]?["step"]?.int ?? 0 >= 1 }
    for job in [waiting, running] {
      #expect(try daemon.request("POST", "/jobs/\(job)/cancel", #"{"mode":"now"}"#).status == 202)
      #expect(try daemon.finishedJob(job)["state"] == "cancelled")
    }
    #expect(try daemon.get("/jobs/\(waiting)")["attempt"] == 0)
  }

  @Test(arguments: [
    ("{", 400), ("[]", 422), (#"{"kind":"bake"}"#, 422), (#"{"kind":"train","spec":{"epohcs":1}}"#, 422),
    (#"{"kind":"train","spec":{"epochs":"ten"}}"#, 422), (#"{"kind":"train","spec":{"batch_size":-1}}"#, 422),
    (#"{"kind":"train","spec":{"dataset":{"name":"nowhere"}}}"#, 422),
    (#"{"kind":"evaluate","spec":{"checkpoint":{"job":"0000000000000000","which":"last"}}}"#, 422),
  ])
  func `a body that cannot be followed is refused and leaves no trace`(body: String, status: Int) throws {
    let daemon = try Daemon()
    let answer = try daemon.request("POST", "/jobs", body)
    #expect(answer.status == status, "\(answer.text)")
    #expect(answer.fields["content-type"] == "application/problem+json")
    #expect(try daemon.get("/jobs")["jobs"] == [])
  }

  @Test func `a body over the limit is refused and leaves no trace`() throws {
    let daemon = try Daemon()
    let answer = try daemon.request("POST", "/jobs", String(repeating: " ", count: 5 << 20))
    #expect(answer.status == 413)
    #expect(try daemon.get("/jobs")["jobs"] == [])
  }

  @Test func `a second daemon on the same data folder is refused and told why`() throws {
    let daemon = try Daemon()
    let output = "\(daemon.data)/second.txt"
    #expect(try daemon.launch(logPath: output).wait() == .exited(code: 1))
    let text = String(decoding: try File(output, .read).readAll(), as: UTF8.self)
    #expect(text.contains("is in use by process"))
    #expect(try daemon.get("/healthz")["status"] == "ok")
  }
}
