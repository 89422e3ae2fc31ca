import Platform
import Synchronization

/// Computes values that cost more than the requests that ask for them: each once, however many ask, on a few
/// threads of its own, and keeps them as long as their stamp is the same.
///
/// A stamp says what a value was computed from: a revision, the times of files. Of one key, one computation
/// runs at a time. The line of those that wait is bounded, and so is what is kept. A computation for which
/// nobody waits any more is not begun; one that has begun is finished, and kept.
package final class SharedWork<Key: Hashable & Sendable, Stamp: Equatable & Sendable, Value: Sendable>:
  Sendable
{
  /// How much is done and kept.
  package struct Limits: Sendable {
    /// Computations at the same time, ≥ 1.
    package var threads: Int
    /// Computations that wait, ≥ 1.
    package var waitingMax: Int
    /// Values that are kept.
    package var keptMax: Int
    /// Bytes of all values that are kept.
    package var keptBytesMax: Int

    package init(threads: Int, waitingMax: Int, keptMax: Int, keptBytesMax: Int) {
      self.threads = threads
      self.waitingMax = waitingMax
      self.keptMax = keptMax
      self.keptBytesMax = keptBytesMax
    }
  }

  /// A value and how it may be kept.
  package struct Result: Sendable {
    package let value: Value
    /// What it takes in memory, about.
    package let bytes: Int
    /// How long it is kept; 0: it is given to those who wait and forgotten; `nil`: until its stamp changes.
    package let keptMilliseconds: Int?

    package init(_ value: Value, bytes: Int, keptMilliseconds: Int? = nil) {
      self.value = value
      self.bytes = bytes
      self.keptMilliseconds = keptMilliseconds
    }
  }

  /// A computation that waits or runs.
  private struct Flight {
    let key: Key
    var stamp: Stamp
    var compute: @Sendable () -> Result
    var isRunning = false
    /// The places of those who wait.
    var wakes: [Int: @Sendable () -> Void] = [:]
    var places: Set<Int> = []
  }

  private struct Kept {
    let stamp: Stamp
    let value: Value
    let bytes: Int
    let untilNanoseconds: UInt64
    var usedAt: Int
  }

  private struct State {
    /// By number, which is the order in which they came.
    var flights: [Int: Flight] = [:]
    var kept: [Key: Kept] = [:]
    var keptBytes = 0
    /// Values for those who have not fetched them yet, by place.
    var answers: [Int: Value] = [:]
    var threads = 0
    var lastNumber = 0
  }

  private let name: String
  private let limits: Limits
  private let clock: @Sendable () -> UInt64
  private let state = Mutex(State())

  private static var stackBytes: Int { 1 << 20 }

  /// - Parameters:
  ///   - name: of its threads.
  ///   - clock: monotonic nanoseconds.
  package init(
    name: String, limits: Limits,
    clock: @escaping @Sendable () -> UInt64 = { SystemClock.monotonicNanoseconds }
  ) {
    self.name = name
    self.limits = limits
    self.clock = clock
  }

  /// The value of a key by what it is computed from now; computed if it is not kept.
  ///
  /// - Parameter compute: called once on one of the threads, unless another's is under way or kept.
  package func ask(_ key: Key, stamp: Stamp, compute: @escaping @Sendable () -> Result) -> Asked<Value> {
    let now = clock()
    let (asked, isNew) = state.withLock { state -> (Asked<Value>, Bool) in
      state.lastNumber += 1
      if let kept = state.kept[key], kept.stamp == stamp, now < kept.untilNanoseconds {
        state.kept[key]?.usedAt = state.lastNumber
        return (.known(kept.value), false)
      }
      let place = state.lastNumber
      let joined = state.flights.first {
        $0.value.key == key && (!$0.value.isRunning || $0.value.stamp == stamp)
      }
      if let number = joined?.key {
        state.flights[number]?.places.insert(place)
        if state.flights[number]?.isRunning == false {
          state.flights[number]?.stamp = stamp
          state.flights[number]?.compute = compute
        }
        return (.coming(ticket(place)), false)
      }
      guard state.flights.values.count(where: { !$0.isRunning }) < limits.waitingMax else {
        return (.busy, false)
      }
      state.flights[place] = Flight(key: key, stamp: stamp, compute: compute, places: [place])
      return (.coming(ticket(place)), true)
    }
    if isNew, !startThread() { return .busy }
    return asked
  }

  /// Values that are kept, and their bytes.
  package var kept: (count: Int, bytes: Int) { state.withLock { ($0.kept.count, $0.keptBytes) } }

  private func ticket(_ place: Int) -> Ticket<Value> {
    Ticket(
      attach: { [self] wake in attach(place, wake) },
      value: { [self] in state.withLock { $0.answers[place] } },
      close: { [self] in leave(place) })
  }

  private func attach(_ place: Int, _ wake: @escaping @Sendable () -> Void) {
    let isThere = state.withLock { state in
      if state.answers[place] != nil { return true }
      if let number = state.flights.first(where: { $0.value.places.contains(place) })?.key {
        state.flights[number]?.wakes[place] = wake
      }
      return false
    }
    if isThere { wake() }
  }

  private func leave(_ place: Int) {
    state.withLock { state in
      state.answers[place] = nil
      guard let number = state.flights.first(where: { $0.value.places.contains(place) })?.key else { return }
      state.flights[number]?.places.remove(place)
      state.flights[number]?.wakes[place] = nil
      if let flight = state.flights[number], flight.places.isEmpty, !flight.isRunning {
        state.flights[number] = nil
      }
    }
  }

  // MARK: threads

  /// Starts one more thread if there may be one; false if there is none at all.
  private func startThread() -> Bool {
    let mayStart = state.withLock { state in
      if state.threads >= limits.threads { return false }
      state.threads += 1
      return true
    }
    if !mayStart { return true }
    do {
      _ = try Thread(name: name, stackBytes: Self.stackBytes) { [self] in
        while let (number, compute) = next() { finish(number, compute()) }
      }
      return true
    } catch {
      // Those that run go on with what waits; without any, it is as if there were no room.
      return state.withLock { state in
        state.threads -= 1
        if state.threads == 0 { state.flights = [:] }
        return state.threads > 0
      }
    }
  }

  /// The oldest computation that may begin; `nil`, and the thread is counted as gone: there is none.
  private func next() -> (Int, @Sendable () -> Result)? {
    state.withLock { state in
      let running = state.flights.values.filter(\.isRunning).map(\.key)
      let number = state.flights.filter { !$0.value.isRunning && !running.contains($0.value.key) }.keys.min()
      guard let number, let flight = state.flights[number] else {
        state.threads -= 1
        return nil
      }
      state.flights[number]?.isRunning = true
      return (number, flight.compute)
    }
  }

  private func finish(_ number: Int, _ result: Result) {
    let now = clock()
    let wakes = state.withLock { state -> [@Sendable () -> Void] in
      guard let flight = state.flights.removeValue(forKey: number) else { return [] }
      for place in flight.places { state.answers[place] = result.value }
      keep(result, of: flight, now: now, in: &state)
      return Array(flight.wakes.values)
    }
    for wake in wakes { wake() }
  }

  private func keep(_ result: Result, of flight: Flight, now: UInt64, in state: inout State) {
    if let old = state.kept.removeValue(forKey: flight.key) { state.keptBytes -= old.bytes }
    let milliseconds = result.keptMilliseconds
    guard milliseconds != 0, result.bytes <= limits.keptBytesMax else { return }
    let until = milliseconds.map { now + UInt64($0) * 1_000_000 } ?? .max
    state.kept[flight.key] = Kept(
      stamp: flight.stamp, value: result.value, bytes: result.bytes, untilNanoseconds: until,
      usedAt: state.lastNumber)
    state.keptBytes += result.bytes
    while state.kept.count > limits.keptMax || state.keptBytes > limits.keptBytesMax {
      guard let oldest = state.kept.min(by: { $0.value.usedAt < $1.value.usedAt }) else { return }
      state.kept[oldest.key] = nil
      state.keptBytes -= oldest.value.bytes
    }
  }
}
