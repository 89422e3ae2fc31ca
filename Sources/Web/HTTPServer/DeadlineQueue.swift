/// Which connection has to be looked at next: a binary heap by time.
///
/// A connection whose deadline moves later keeps its old entry and is entered again when that one comes up,
/// so that an ordinary request costs no change here. One whose deadline moves earlier gets a second
/// entry; the connection knows which of them counts.
struct DeadlineQueue {
  private var heap: [(nanoseconds: UInt64, token: UInt64)] = []

  /// The earliest entry's time.
  var earliest: UInt64? { heap.first?.nanoseconds }

  /// Adds an entry.
  mutating func insert(_ token: UInt64, at nanoseconds: UInt64) {
    heap.append((nanoseconds, token))
    var child = heap.count - 1
    while child > 0, heap[(child - 1) / 2].nanoseconds > heap[child].nanoseconds {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// How many entries there are.
  var count: Int { heap.count }

  /// Forgets the entries of connections that are gone.
  mutating func keep(where isWanted: (UInt64) -> Bool) {
    let kept = heap.filter { isWanted($0.token) }
    heap = []
    for entry in kept { insert(entry.token, at: entry.nanoseconds) }
  }

  /// Takes out the earliest entry that is due.
  mutating func removeDue(at now: UInt64) -> (nanoseconds: UInt64, token: UInt64)? {
    guard let first = heap.first, first.nanoseconds <= now else { return nil }
    let last = heap.removeLast()
    if heap.isEmpty { return first }
    heap[0] = last
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
        if heap[child].nanoseconds < heap[smallest].nanoseconds { smallest = child }
      }
      if smallest == parent { return first }
      heap.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
