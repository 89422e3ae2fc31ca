import JSONText
import Platform
import Testing

/// `Scripts/prove.sh soak` sends ten thousand jobs through one daemon; a test run a few.
@Suite(.serialized) struct `Many short jobs through one daemon` {
  private static let jobs = Environment.all["PROOF_JOBS"].flatMap { Int($0) } ?? 12
  /// Jobs that are queued at once; when they have ended, those before them are deleted.
  private static let batch = min(100, jobs / 3)
  private static let residentMiBMax = 200
  private static let descriptorsMax = 64
  private static let logMiBMax = 20
  /// Two batches of run folders with a checkpoint of some 2.5 MiB each, and the database.
  private static let dataMiBMax = 600

  /// What a daemon takes of its machine.
  private struct Usage: CustomStringConvertible {
    var residentMiB = 0
    var descriptors = 0
    var logMiB = 0
    var dataMiB = 0

    var description: String {
      "\(residentMiB) MiB resident, \(descriptors) descriptors, \(logMiB) MiB of write-ahead log, "
        + "\(dataMiB) MiB in the data folder"
    }
  }

  @Test func `leave its memory, descriptors, log and data folder within bounds`() throws {
    let daemon = try Daemon(
      arguments: ["--workers", "2", "--threads-per-worker", "1"], lifeSeconds: 600 + 4 * Self.jobs)
    let job = SmallRun.lightJob(maxSteps: 1)
    var done = 0
    var earlier: [String] = []
    while done < Self.jobs {
      let count = min(Self.batch, Self.jobs - done)
      let body: JSON = ["jobs": .array([JSON](repeating: job, count: count))]
      let answer = try daemon.request("POST", "/jobs", body.text)
      try #require(answer.status == 201, "\(answer.text)")
      let ids = try JSON.parse(answer.body)["jobs"]?.array?.compactMap { $0["id"]?.string?.string } ?? []
      try eventually(seconds: 180 + 4 * count) {
        try daemon.get("/jobs?state=queued,running&limit=1")["jobs"] == [] ? true : nil
      }
      done += count
      let usage = try usage(of: daemon)
      #expect(usage.residentMiB <= Self.residentMiBMax)
      #expect(usage.descriptors <= Self.descriptorsMax)
      #expect(usage.logMiB <= Self.logMiBMax)
      #expect(usage.dataMiB <= Self.dataMiBMax)
      print("soak: \(done) jobs: \(usage)")
      // Not /readyz, whose counts may be a second old.
      let succeeded = try daemon.get("/jobs?state=succeeded&limit=1")["total"]
      #expect(succeeded == .integer(count + earlier.count))
      for job in earlier { #expect(try daemon.request("DELETE", "/jobs/\(job)").status == 204) }
      earlier = ids
    }
    #expect(try FileSystem.list("\(daemon.data)/runs").count == earlier.count)
    #expect(try daemon.check() == .exited(code: 0))
  }

  private func usage(of daemon: Daemon) throws -> Usage {
    let id = try #require(FileLock.owner("\(daemon.data)/lock"))
    // The kernel's files have no size to read by.
    let bytes = try File("/proc/\(id)/statm", .read).read(at: 0, countMax: 256)
    let status = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    let residentPages = try #require(status.dropFirst().first.flatMap { Int($0) })
    return Usage(
      residentMiB: (residentPages * 4096) >> 20,
      descriptors: try FileSystem.list("/proc/\(id)/fd").count,
      logMiB: try FileSystem.size("\(daemon.data)/vicregd.sqlite-wal") >> 20,
      dataMiB: try size(of: daemon.data) >> 20)
  }

  /// Bytes of all files below a folder.
  private func size(of folder: String) throws -> Int {
    try FileSystem.list(folder).reduce(0) { sum, name in
      let path = "\(folder)/\(name)"
      return sum + (FileSystem.isDirectory(path) ? try size(of: path) : try FileSystem.size(path))
    }
  }
}
