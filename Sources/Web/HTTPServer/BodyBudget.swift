import HTTP
import Synchronization

/// The memory that the bodies of all requests may have together, from a request's head until its handler is
/// done.
///
/// Bodies of more than 64 KiB leave a quarter of it to smaller ones, and those of one client have at most
/// half, so that neither uploads nor one client's claims shut the others out.
final class BodyBudget: Sendable {
  private struct State: Sendable {
    var total = 0
    /// Of bodies over `smallBytesMax`.
    var large = 0
    var largeByNetwork: [String: Int] = [:]
  }

  private static let smallBytesMax = 64 << 10

  private let bytesMax: Int
  private let state = Mutex(State())

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Bytes that are reserved at the moment.
  var reservedBytes: Int { state.withLock { $0.total } }

  /// 503 that names the limit.
  var problem: Problem {
    .unavailable(
      "The bodies of other requests have all the memory that they may have, which is the limit "
        + "bodies_bytes_max, \(bytesMax) bytes.")
  }

  /// Changes what a body has from `old` to `new` bytes, if there is room.
  fileprivate func change(from old: Int, to new: Int, network: String) -> Bool {
    let (oldLarge, newLarge) = (BodyBudget.large(old), BodyBudget.large(new))
    return state.withLock { state in
      let large = state.largeByNetwork[network, default: 0] + newLarge - oldLarge
      if new > old {
        guard new - old <= bytesMax - state.total else { return false }
        let isFull = large > bytesMax / 2 || state.large + newLarge - oldLarge > bytesMax / 4 * 3
        if newLarge > 0, isFull { return false }
      }
      state.total += new - old
      state.large += newLarge - oldLarge
      state.largeByNetwork[network] = large > 0 ? large : nil
      return true
    }
  }

  private static func large(_ bytes: Int) -> Int { bytes > smallBytesMax ? bytes : 0 }
}

/// What one body has of the budget; given back when this goes.
final class BodyReservation: Sendable {
  private let budget: BodyBudget
  private let network: String
  private let bytes = Atomic<Int>(0)

  /// Nothing is reserved yet.
  init(_ budget: BodyBudget, network: String) {
    self.budget = budget
    self.network = network
  }

  deinit { _ = budget.change(from: bytes.load(ordering: .relaxed), to: 0, network: network) }

  /// Reserves so many bytes in all; nil, or why that is too much. To be called by one thread at a time.
  func reserve(_ total: Int) -> Problem? {
    let old = bytes.load(ordering: .relaxed)
    guard total > old else { return nil }
    guard budget.change(from: old, to: total, network: network) else { return budget.problem }
    bytes.store(total, ordering: .relaxed)
    return nil
  }
}
