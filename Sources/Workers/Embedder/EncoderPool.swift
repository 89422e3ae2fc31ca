import Logging
import Platform
import RunFolder
import Synchronization

/// The processes that keep encoders while nobody asks them. Each is dropped after an idle time, and the one
/// that was idle longest when another one needs its place.
final class EncoderPool: Sendable {
  private struct Idle {
    let process: EmbedderProcess
    let sinceNanoseconds: UInt64
  }

  private struct State {
    /// The one that was idle longest first.
    var idle: [Idle] = []
    /// Processes that answer or start.
    var busyCount = 0
    var isSweeping = false
    var isClosed = false
  }

  private let processesMax: Int
  private let idleNanoseconds: UInt64
  private let log: Log
  private let state = Mutex(State())

  private static let sweepMilliseconds = 500
  private static let stackBytes = 256 << 10

  /// - Parameters:
  ///   - processesMax: idle and busy ones together.
  ///   - idleSeconds: after which an idle one is dropped.
  init(processesMax: Int, idleSeconds: Int, log: Log) {
    self.processesMax = processesMax
    idleNanoseconds = UInt64(idleSeconds) * 1_000_000_000
    self.log = log
  }

  /// Takes a place for a process, and the idle process that keeps this encoder; nil: it has to be started.
  /// `give` must follow.
  func take(_ order: EncoderOrder) -> EmbedderProcess? {
    let (found, dropped) = state.withLock { state -> (EmbedderProcess?, [EmbedderProcess]) in
      state.busyCount += 1
      var dropped: [EmbedderProcess] = []
      while let place = state.idle.lastIndex(where: { $0.process.order == order }) {
        let process = state.idle.remove(at: place).process
        if process.isReady { return (process, dropped) }
        // It ended while it was idle.
        dropped.append(process)
      }
      while state.idle.count + state.busyCount > processesMax, !state.idle.isEmpty {
        dropped.append(state.idle.removeFirst().process)
      }
      return (nil, dropped)
    }
    for process in dropped { process.end() }
    return found
  }

  /// Gives the place back, with the process if it can answer again.
  func give(_ process: EmbedderProcess?) {
    let now = SystemClock.monotonicNanoseconds
    let (isKept, mustSweep) = state.withLock { state in
      state.busyCount -= 1
      guard let process, !process.isGone, !state.isClosed else { return (false, false) }
      state.idle.append(Idle(process: process, sinceNanoseconds: now))
      defer { state.isSweeping = true }
      return (true, !state.isSweeping)
    }
    if !isKept { process?.end() }
    guard mustSweep else { return }
    do {
      _ = try Thread(name: "embedders", stackBytes: Self.stackBytes) { [self] in sweep() }
    } catch {
      log.warning("\(error): idle encoders are kept until the next one is asked")
      state.withLock { $0.isSweeping = false }
    }
  }

  /// Ends idle processes as their time comes, until there are none.
  private func sweep() {
    while true {
      SystemClock.sleep(milliseconds: Self.sweepMilliseconds)
      let now = SystemClock.monotonicNanoseconds
      let (dropped, isDone) = state.withLock { state in
        let dropped = state.idle.filter { now - $0.sinceNanoseconds >= idleNanoseconds }.map(\.process)
        state.idle.removeFirst(dropped.count)
        if state.idle.isEmpty { state.isSweeping = false }
        return (dropped, state.idle.isEmpty)
      }
      for process in dropped { process.end() }
      if isDone { return }
    }
  }

  /// Ends all idle processes; busy ones end when they are given back.
  func close() {
    let idle = state.withLock { state in
      defer { state.idle = [] }
      state.isClosed = true
      return state.idle
    }
    for process in idle { process.process.end() }
  }
}
