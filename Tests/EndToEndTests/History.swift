import Crypto
import Gzip
import Platform
import Testing

/// What clients were told, and whether a daemon that has been through anything kept its word.
struct History {
  /// Jobs that were acknowledged, with the seed of each.
  var jobs: [String: Int] = [:]
  /// Jobs whose cancel was acknowledged.
  var cancelled: Set<String> = []

  /// Compares the word with what is there now that every job has ended.
  ///
  /// - Parameter digests: of the last checkpoint of an undisturbed run, by seed.
  /// - Returns: how many jobs ran to their end, so that their last checkpoints were compared.
  func check(_ daemon: Daemon, digests: [Int: String]) throws -> Int {
    var listed: [String] = []
    var path: String? = "/jobs?limit=500"
    while let page = path {
      let answer = try daemon.get(page)
      listed += (answer["jobs"]?.array ?? []).compactMap { $0["id"]?.string?.string }
      path = answer["next_cursor"]?.string.map { "/jobs?limit=500&cursor=\($0)" }
    }
    #expect(listed.count == Set(listed).count, "no job is listed twice")
    #expect(Set(jobs.keys).isSubset(of: Set(listed)), "nothing that was acknowledged is lost")
    return try listed.filter { try check($0, daemon, digests: digests) }.count
  }

  /// Whether the job ran to its end.
  private func check(_ job: String, _ daemon: Daemon, digests: [Int: String]) throws -> Bool {
    let record = try daemon.get("/jobs/\(job)")
    let state = record["state"]?.string?.string
    let lines = try daemon.request("GET", "/jobs/\(job)/metrics").events
    let steps = lines.filter { $0["event"] == "metric" }.compactMap { $0["step"]?.int }
    #expect(steps == Array(1..<(1 + steps.count)), "job \(job): no gap and no repetition")
    #expect(lines.filter { $0["event"] == "end" }.count == 1, "job \(job): one end")
    let folder = "\(daemon.data)/runs/\(job)"
    let raw = try Faults.text(of: "\(folder)/events.jsonl")
    let ends = raw.split(separator: "\n").filter { $0.hasPrefix(#"{"event":"end""#) }
    #expect(ends.count <= 1, "job \(job) was run to its end \(ends.count) times")
    try checkCheckpoints(of: job, daemon)
    if state == "cancelled" {
      #expect(cancelled.contains(job), "job \(job): nobody has cancelled it")
      return false
    }
    #expect(state == "succeeded", "job \(job): \(record.text)")
    guard state == "succeeded", let seed = record["spec"]?["seed"]?.int else { return false }
    #expect(steps.count == SmallRun.steps, "job \(job)")
    #expect(try daemon.lastDigest(job) == digests[seed], "job \(job): the last checkpoint, bit for bit")
    return true
  }

  private func checkCheckpoints(of job: String, _ daemon: Daemon) throws {
    for checkpoint in try daemon.get("/jobs/\(job)/checkpoints")["checkpoints"]?.array ?? [] {
      let name = try #require(checkpoint["name"]?.string)
      let path = "\(daemon.data)/runs/\(job)/checkpoints/\(name)"
      let bytes = try File(path, .read).readAll()
      #expect(hexadecimal(SHA256.digest(of: bytes)) == checkpoint["sha256"]?.string?.string, "\(path)")
      #expect(try Gzip.decompressFile(path, limitBytes: 1 << 30).count > 8, "\(path)")
    }
  }
}
