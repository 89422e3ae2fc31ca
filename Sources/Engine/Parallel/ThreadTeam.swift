import Platform
import Synchronization

/// A fixed number of threads that share the work of one region after another; the caller is one of them.
///
/// A region is a fixed number of tasks, handed out in order to whoever is free. The number of tasks must
/// follow from the problem alone: then results cannot depend on how many threads there are.
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
    withoutActuallyEscaping(body) { region.run(tasks: tasks, $0) }
  }
}

/// The work in progress, and the places where members wait for it.
///
/// `door` packs generation (upper 32 bits), an open flag (bit 31) and the number of members inside (bits
/// 0–30). Members that are late find the door closed and go on waiting, so nobody waits for them.
private final class Region: @unchecked Sendable {
  // `body` and `tasks` are written while the door is closed and nobody is inside, read only inside.
  private var body: (Int, Int) -> Void = { _, _ in }
  private var tasks = 0
  private let next = Atomic<Int>(0)
  private let door = Atomic<UInt64>(0)
  private let sleepers = Atomic<Int>(0)
  private let callerSleeps = Atomic<Bool>(false)
  private let dismissed = Atomic<Bool>(false)
  private let work = Monitor()
  private let done = Monitor()

  private static let open: UInt64 = 1 << 31
  private static let insideMask: UInt64 = (1 << 31) - 1
  /// Looks at the door before going to sleep: some tens of microseconds, longer than the gap between two
  /// regions.
  private static let spins = 2000

  func run(tasks: Int, _ body: @escaping (Int, Int) -> Void) {
    self.body = body
    self.tasks = tasks
    next.store(0, ordering: .relaxed)
    let generation = door.load(ordering: .relaxed) >> 32
    door.store((generation + 1) << 32 | Region.open, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { work.signal() }
    takeTasks(member: 0)
    door.bitwiseAnd(~Region.open, ordering: .acquiringAndReleasing)
    waitUntilEmpty()
    self.body = { _, _ in }
  }

  func serve(member: Int) {
    var seen: UInt64 = 0
    while true {
      guard let generation = enter(after: seen) else { return }
      seen = generation
      takeTasks(member: member)
      let before = door.subtract(1, ordering: .sequentiallyConsistent).oldValue
      let isLast = before & Region.insideMask == 1 && before & Region.open == 0
      if isLast, callerSleeps.load(ordering: .sequentiallyConsistent) { done.signal() }
    }
  }

  func dismiss() {
    work.signal { dismissed.store(true, ordering: .sequentiallyConsistent) }
  }

  @inline(__always)
  private func takeTasks(member: Int) {
    let body = self.body
    let tasks = self.tasks
    while true {
      let task = next.add(1, ordering: .relaxed).oldValue
      guard task < tasks else { return }
      body(task, member)
    }
  }

  /// Waits for an open door of a generation other than `seen` and goes in; `nil`: the team is dismissed.
  private func enter(after seen: UInt64) -> UInt64? {
    while true {
      var spins = 0
      while !isOpen(after: seen), !dismissed.load(ordering: .relaxed) {
        spins += 1
        if spins < Region.spins {
          CPU.relax()
        } else {
          sleepers.add(1, ordering: .sequentiallyConsistent)
          work.wait { isOpen(after: seen) || dismissed.load(ordering: .sequentiallyConsistent) }
          sleepers.subtract(1, ordering: .sequentiallyConsistent)
        }
      }
      if dismissed.load(ordering: .sequentiallyConsistent) { return nil }
      let state = door.load(ordering: .sequentiallyConsistent)
      guard state & Region.open != 0, state >> 32 != seen else { continue }
      let entered = door.compareExchange(
        expected: state, desired: state + 1, ordering: .sequentiallyConsistent
      ).exchanged
      if entered { return state >> 32 }
    }
  }

  private func isOpen(after seen: UInt64) -> Bool {
    let state = door.load(ordering: .sequentiallyConsistent)
    return state & Region.open != 0 && state >> 32 != seen
  }

  private func waitUntilEmpty() {
    var spins = 0
    while door.load(ordering: .sequentiallyConsistent) & Region.insideMask != 0 {
      spins += 1
      if spins < Region.spins {
        CPU.relax()
      } else {
        callerSleeps.store(true, ordering: .sequentiallyConsistent)
        done.wait { door.load(ordering: .sequentiallyConsistent) & Region.insideMask == 0 }
        callerSleeps.store(false, ordering: .sequentiallyConsistent)
      }
    }
  }
}
