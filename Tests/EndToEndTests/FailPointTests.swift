import Platform
import Testing

/// `Scripts/prove.sh fail-points` ends a process at every kind of write, sync, truncation, rename and removal
/// that a training makes, before and after it, at the first of the kind and one further on; a test run at
/// some. Each that is tried has to be met.
@Suite(.serialized) struct `A process that ends at any file operation` {
  private static let isComplete = Environment.all["PROOF_POINTS"] == "all"
  /// What a worker writes once a second: a run that is quicker than the one that was traced does it less
  /// often, so only the first is tried.
  private static let timed: Set = ["write:lock"]
  /// Of the operations of a kind, one at this part of their number is tried: a run whose looks fall otherwise
  /// has fewer of the daemon's, but not so few.
  private static let part = 4
  /// Points of a test run, spread over all.
  private static let sampleCount = 5

  /// One operation of a kind, as the library names it.
  struct Point: Hashable, CustomStringConvertible {
    let kind: String
    let number: Int
    let action: String
    var description: String { "\(action) \(kind):\(number)" }
  }

  @Test(arguments: ["work", "serve"])
  func `leaves a run that ends as if nothing had been`(role: String) throws {
    let points = try points(of: role)
    #expect(points.count > 20)
    let chosen =
      Self.isComplete
      ? points
      : stride(from: 0, to: points.count, by: max(1, points.count / Self.sampleCount)).map { points[$0] }
    for point in chosen {
      do {
        let isMet = try strike(at: point, role)
        #expect(isMet, "\(point) of \(role) was not met")
      } catch {
        Issue.record(error, "\(point) of \(role)")
      }
    }
    print("fail-points of \(role): \(chosen.count) tried, \(points.count) known")
  }

  /// The operations of one undisturbed training.
  private func points(of role: String) throws -> [Point] {
    let daemon = try Daemon(faults: (role, [:]), tracing: true)
    let job = try daemon.queue(SmallRun.job())
    #expect(try daemon.finishedJob(job)["state"] == "succeeded")
    #expect(try daemon.lastDigest(job) == SmallRun.undisturbedDigest.get())
    daemon.send(.terminate)
    _ = try daemon.ending()
    var counts: [String: Int] = [:]
    for line in try Faults.text(of: daemon.tracePath).split(separator: "\n") {
      counts[line.split(separator: " ").joined(separator: ":"), default: 0] += 1
    }
    return counts.sorted { $0.key < $1.key }.flatMap { kind, count in
      Set([1, Self.timed.contains(kind) ? 1 : max(1, count / Self.part)]).sorted().flatMap { number in
        ["before", "after"].map { Point(kind: kind, number: number, action: $0) }
      }
    }
  }

  /// Has a training meet the point once; whether it did.
  private func strike(at point: Point, _ role: String) throws -> Bool {
    let faults = ["POINT": "\(point.kind):\(point.number)", "ACTION": point.action]
    let daemon = try Daemon(faults: (role, faults), isPatient: false)
    try daemon.startAgainIfGone()
    let job = try daemon.queueSurely(SmallRun.job())
    let record = try daemon.finishedJobSurely(job)
    #expect(record["state"] == "succeeded", "\(point): \(record.text)")
    #expect(try daemon.steps(job) == Array(1...SmallRun.steps), "\(point)")
    #expect(try daemon.lastDigest(job) == SmallRun.undisturbedDigest.get(), "\(point)")
    #expect(try daemon.get("/jobs?limit=500")["jobs"]?.array?.count == 1, "\(point)")
    return FileSystem.exists(daemon.oncePath)
  }
}
