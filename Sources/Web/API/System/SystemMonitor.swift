import JobModel
import JobStore
import Logging
import Platform
import Synchronization

/// How the machine was in the last hour: a thread takes a sample every ten seconds, in less than a
/// millisecond, into room that does not grow.
package final class SystemMonitor: Sendable {
  /// How the machine was at one time. What could not be read is `nil`.
  struct Sample: Sendable {
    /// In Unix milliseconds.
    let atMilliseconds: Int
    /// Share of the cores that was used since the sample before, from 0 to 1.
    let cpuShare: Double?
    /// Memory of the machine, or of its control group, that cannot be had.
    let memoryUsedBytes: Int?
    /// Space that is left on the data folder's device.
    let diskFreeBytes: Int?
    /// Jobs that have a worker, and jobs that wait for one.
    let running: Int?
    let queued: Int?
  }

  private struct State {
    /// In the order in which they came, beginning at `next` when there are as many as there may be.
    var samples: [Sample] = []
    var next = 0
    var load: MachineLoad?
    /// The share of the cores as it was found last.
    var cpuShare: Double?
  }

  private let store: JobStore
  private let data: String
  private let state = Mutex(State())
  private let stopping = Inbox<Void>()
  private let thread = Mutex<Thread?>(nil)
  /// When this value was made, in monotonic nanoseconds, and in Unix milliseconds.
  let startedNanoseconds = SystemClock.monotonicNanoseconds
  let startedMilliseconds = SystemClock.unixMilliseconds

  /// Between two samples.
  static let intervalMilliseconds = 10_000
  /// One hour.
  static let samplesMax = 360
  /// A share of the cores over less time than this is mostly noise.
  private static let shareNanosecondsMin: UInt64 = 500_000_000

  /// - Parameter data: the data folder.
  package init(store: JobStore, data: String) {
    self.store = store
    self.data = data
    state.withLock {
      $0.samples.reserveCapacity(Self.samplesMax)
      $0.load = MachineLoad.now
    }
  }

  /// Begins to take samples, on a thread of its own.
  package func start() throws(SystemError) {
    let thread = try Thread(name: "system-monitor", stackBytes: 256 << 10) { [self] in
      while stopping.receive(timeoutMilliseconds: Self.intervalMilliseconds).isEmpty { take() }
    }
    self.thread.withLock { $0 = thread }
  }

  /// Ends the thread and waits for it.
  package func stop() {
    stopping.send(())
    thread.withLock { $0.take() }?.join()
  }

  /// The samples of the last hour, oldest first.
  var samples: [Sample] {
    state.withLock { Array($0.samples[$0.next...] + $0.samples[..<$0.next]) }
  }

  /// The share of the cores that is used, from 0 to 1, since the last look; `nil`: not known yet.
  var cpuShare: Double? { look().cpuShare }

  /// Takes a sample now.
  func take() {
    let cpuShare = look().cpuShare
    // Of what cannot be read the sample has nothing.
    let counts = try? store.counts()
    let memory = MachineMemory.totalBytes.flatMap { total in
      MachineMemory.availableBytes.map { max(0, total - $0) }
    }
    let sample = Sample(
      atMilliseconds: SystemClock.unixMilliseconds, cpuShare: cpuShare, memoryUsedBytes: memory,
      diskFreeBytes: try? FileSystem.freeBytes(data),
      running: counts.map { counts in
        JobState.allCases.filter(\.isActive).reduce(0) { $0 + (counts[$1] ?? 0) }
      }, queued: counts.map { $0[.queued] ?? 0 })
    state.withLock { state in
      if state.samples.count < Self.samplesMax {
        state.samples.append(sample)
      } else {
        state.samples[state.next] = sample
        state.next = (state.next + 1) % Self.samplesMax
      }
    }
  }

  private func look() -> (cpuShare: Double?, load: MachineLoad?) {
    let now = MachineLoad.now
    return state.withLock { state in
      guard let now else { return (nil, nil) }
      guard let last = state.load else {
        state.load = now
        return (nil, now)
      }
      if now.atNanoseconds &- last.atNanoseconds >= Self.shareNanosecondsMin {
        (state.cpuShare, state.load) = (now.share(since: last), now)
      }
      return (state.cpuShare, now)
    }
  }
}
