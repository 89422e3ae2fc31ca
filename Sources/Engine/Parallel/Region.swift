import CParallel
import Platform
import Synchronization

/// What every task of a region runs: the parts of a closure that lives on the caller's stack.
struct RegionBody {
  /// The closure's code.
  let code: UnsafeRawPointer
  /// What it captured.
  let captured: UnsafeRawPointer?
}

/// The work in progress, and the places where members of a team wait for it.
///
/// To take part is to take a task, and the region is over when all its tasks are done: whoever comes late
/// finds none left and goes on waiting, so nobody waits for a thread that the system has put aside. In `work`
/// lie the number of tasks (upper 32 bits) and the next one (lower 32 bits), so one addition takes a task and
/// tells whether it belongs to the region.
final class Region: @unchecked Sendable {
  /// Most tasks of a region: what fits besides the additions of members that find none left.
  static let tasksMax = 1 << 31

  /// The one cache line that everybody changes.
  private struct Shared: ~Copyable {
    let work = Atomic<UInt64>(0)
    /// Written while no task is left and none is being done, read by those who have taken one.
    var body: RegionBody?
  }

  private let shared: UnsafeMutablePointer<Shared>
  /// Tasks that are done.
  private let done: UnsafeMutablePointer<Atomic<Int>>
  private let memory: UnsafeMutableRawPointer
  // The rest changes when somebody goes to sleep.
  private let sleepers = Atomic<Int>(0)
  private let callerSleeps = Atomic<Bool>(false)
  private let dismissed = Atomic<Bool>(false)
  private let begun = Monitor()
  private let ended = Monitor()

  /// Two cache lines: processors fetch them in pairs.
  private static let lineBytes = 128
  /// Looks before going to sleep: some tens of microseconds, longer than the gap between two regions.
  private static let spins = 2000

  /// A place without work.
  init() {
    memory = UnsafeMutableRawPointer.allocate(
      byteCount: 3 * Region.lineBytes, alignment: Region.lineBytes)
    shared = memory.bindMemory(to: Shared.self, capacity: 1)
    shared.initialize(to: Shared())
    done = (memory + Region.lineBytes).bindMemory(to: Atomic<Int>.self, capacity: 1)
    done.initialize(to: Atomic(0))
  }

  deinit {
    shared.deinitialize(count: 1)
    done.deinitialize(count: 1)
    memory.deallocate()
  }

  /// Runs `body` for every task and returns when all are done: the caller's side.
  func run(_ body: RegionBody, tasks: Int) {
    shared.pointee.body = body
    done.pointee.store(0, ordering: .relaxed)
    // Before the look at `sleepers`, as a sleeper says so before its last look at `work`.
    shared.pointee.work.store(UInt64(tasks) << 32, ordering: .sequentiallyConsistent)
    wakeSleepers()
    let share = takeTasks(member: 0)
    done.pointee.add(share.count, ordering: .relaxed)
    waitUntilDone(tasks)
  }

  /// Takes part in region after region until dismissed: the life of member `member`.
  func serve(member: Int) {
    while waitForWork() {
      let share = takeTasks(member: member)
      guard share.count > 0 else { continue }
      let total = done.pointee.add(share.count, ordering: .sequentiallyConsistent).newValue
      if total == share.tasks, callerSleeps.load(ordering: .sequentiallyConsistent) { ended.signal() }
    }
  }

  /// Lets every member end.
  func dismiss() {
    begun.signal { dismissed.store(true, ordering: .sequentiallyConsistent) }
  }

  /// Takes and runs tasks until none is left; how many, and how many the region has.
  ///
  /// The region cannot end, and the next one not begin, before these tasks are added to `done`.
  private func takeTasks(member: Int) -> (count: Int, tasks: Int) {
    var count = 0
    while true {
      let word = shared.pointee.work.add(1, ordering: .acquiringAndReleasing).oldValue
      let (task, tasks) = Region.parts(of: word)
      guard task < tasks, let body = shared.pointee.body else { return (count, tasks) }
      cparallel_call(body.code, body.captured, task, member)
      count += 1
    }
  }

  /// Waits for a region with a task to take; false: the team is dismissed.
  private func waitForWork() -> Bool {
    var spins = 0
    while !hasWork {
      if dismissed.load(ordering: .sequentiallyConsistent) { return false }
      spins += 1
      if spins < Region.spins {
        CPU.relax()
      } else {
        sleepers.add(1, ordering: .sequentiallyConsistent)
        begun.wait { hasWork || dismissed.load(ordering: .sequentiallyConsistent) }
        sleepers.subtract(1, ordering: .sequentiallyConsistent)
        if hasWork { wakeSleepers() }
      }
    }
    return true
  }

  /// Wakes two; each of them wakes two more, so that many are awake soon and the caller is not held up.
  private func wakeSleepers() {
    for _ in 0..<2 where sleepers.load(ordering: .sequentiallyConsistent) > 0 { begun.signalOne() }
  }

  private var hasWork: Bool {
    let (task, tasks) = Region.parts(of: shared.pointee.work.load(ordering: .sequentiallyConsistent))
    return task < tasks
  }

  private func waitUntilDone(_ tasks: Int) {
    var spins = 0
    while done.pointee.load(ordering: .acquiring) != tasks {
      spins += 1
      if spins < Region.spins {
        CPU.relax()
      } else {
        callerSleeps.store(true, ordering: .sequentiallyConsistent)
        ended.wait { done.pointee.load(ordering: .sequentiallyConsistent) == tasks }
        callerSleeps.store(false, ordering: .sequentiallyConsistent)
      }
    }
  }

  private static func parts(of word: UInt64) -> (task: Int, tasks: Int) {
    (Int(word & 0xffff_ffff), Int(word >> 32))
  }
}
