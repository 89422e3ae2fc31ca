import JobModel
import Platform
import Testing

/// `Scripts/prove.sh soak` sends ten thousand jobs through one daemon; a test run a few.
@Suite(.serialized) struct `Many short jobs through one daemon` {
  private static let jobs = Environment.all["PROOF_JOBS"].flatMap { Int($0) } ?? 12
  private static let batch = 100
  private static let residentMiBMax = 200
  private static let descriptorsMax = 64
  private static let logMiBMax = 20

  @Test func `leave its memory, descriptors and log within bounds`() throws {
    let daemon = try Daemon(
      arguments: ["--workers", "2", "--threads-per-worker", "1"], lifeSeconds: 60 + 2 * Self.jobs)
    var job = try #require(SmallRun.job().object)
    var spec = try #require(job["spec"]?.object)
    spec["max_steps"] = 1
    job["spec"] = .object(spec)
    var done = 0
    while done < Self.jobs {
      let count = min(Self.batch, Self.jobs - done)
      let body: JSON = ["jobs": .array([JSON](repeating: .object(job), count: count))]
      #expect(try daemon.request("POST", "/jobs", body.text).status == 201)
      done += count
      try eventually(seconds: 60 + count) {
        try daemon.get("/jobs?state=queued,running&limit=1")["jobs"] == [] ? true : nil
      }
      try expectBounds(daemon)
    }
    #expect(try daemon.get("/readyz")["jobs"]?["succeeded"] == .integer(Self.jobs))
  }

  private func expectBounds(_ daemon: Daemon) throws {
    let id = try #require(FileLock.owner("\(daemon.data)/lock"))
    // The kernel's files have no size to read by.
    let bytes = try File("/proc/\(id)/statm", .read).read(at: 0, countMax: 256)
    let status = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    let residentPages = try #require(status.dropFirst().first.flatMap { Int($0) })
    let residentMiB = (residentPages * 4096) >> 20
    let descriptors = try FileSystem.list("/proc/\(id)/fd").count
    let logMiB = try FileSystem.size("\(daemon.data)/vicregd.sqlite-wal") >> 20
    #expect(residentMiB <= Self.residentMiBMax)
    #expect(descriptors <= Self.descriptorsMax)
    #expect(logMiB <= Self.logMiBMax)
    print("soak: \(residentMiB) MiB resident, \(descriptors) descriptors, \(logMiB) MiB of log")
  }
}
