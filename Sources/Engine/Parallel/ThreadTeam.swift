import CParallel
import Platform

/// A fixed number of threads that share the work of one region after another; the caller is one of them.
///
/// A region is a fixed number of tasks, handed out in order to whoever is free. The number of tasks must
/// follow from the problem alone: then results cannot depend on how many threads there are. A region
/// allocates nothing.
package final class ThreadTeam: Sendable {
  /// Threads that work in a region, the caller included.
  package let threads: Int
  private let region = Region()
  private let members: [Thread]

  /// Starts `threads − 1` threads, which sleep when there is no work; 1 ≤ `threads` ≤ 1024.
  package init(threads: Int) throws(SystemError) {
    precondition((1...1024).contains(threads), "a team has 1 to 1024 threads")
    self.threads = threads
    var members: [Thread] = []
    let region = self.region
    for member in 1..<max(threads, 1) {
      do {
        members.append(try Thread(name: "team-\(member)") { region.serve(member: member) })
      } catch {
        region.dismiss()
        for member in members { member.join() }
        throw error
      }
    }
    self.members = members
  }

  /// A team that counts as `threads` in plans and has none of its own: its caller does all the work.
  package init(planning threads: Int) {
    precondition((1...1024).contains(threads), "a team has 1 to 1024 threads")
    self.threads = threads
    members = []
  }

  deinit {
    region.dismiss()
    for member in members { member.join() }
  }

  /// Runs `body(task)` for each task in `0..<tasks`, in parallel, and returns when all are done.
  ///
  /// One region at a time; a region does not start another one. `body` must write only what its task owns.
  package func run(tasks: Int, _ body: (_ task: Int) -> Void) {
    run(tasks: tasks) { task, _ in body(task) }
  }

  /// Like `run(tasks:_:)`; `body` also learns which member of the team, `0..<threads`, runs it.
  ///
  /// The member selects scratch memory, never what is computed.
  package func run(tasks: Int, _ body: (_ task: Int, _ member: Int) -> Void) {
    guard threads > 1, tasks > 1 else {
      for task in 0..<max(tasks, 0) { body(task, 0) }
      return
    }
    precondition(tasks <= Region.tasksMax, "a region has at most \(Region.tasksMax) tasks")
    withParts(of: body, Unmanaged.passUnretained(region).toOpaque(), tasks) { code, captured, region, tasks in
      Unmanaged<Region>.fromOpaque(region).takeUnretainedValue()
        .run(RegionBody(code: code, captured: captured), tasks: tasks)
    }
  }
}

/// Hands `use` the parts of a closure that does not escape: `CParallel.c`.
@_silgen_name("cparallel_with_parts")
private func withParts(
  of body: (Int, Int) -> Void, _ user: UnsafeMutableRawPointer, _ number: Int,
  _ use: @convention(c) (UnsafeRawPointer, UnsafeRawPointer?, UnsafeMutableRawPointer, Int) -> Void
)
