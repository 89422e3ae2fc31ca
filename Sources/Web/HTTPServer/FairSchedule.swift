/// Which piece of work comes next: the lanes take turns, in a lane the clients do, and the work of one client
/// keeps its order. No threads and no locks; `WorkQueue` adds them.
///
/// A lane may bound how many of its pieces run at the same time, so that slow work never takes every thread.
struct FairSchedule<Client: Hashable & Sendable, Work: Sendable>: Sendable {
  private struct Lane: Sendable {
    let runningMax: Int
    var running = 0
    var count = 0
    var clients: [Client: Fifo<Work>] = [:]
    /// Each client of `clients` once, in the order of their turns.
    var turns = Fifo<Client>()

    /// Adds a piece behind the client's others. A client that had none waits for its turn from now on.
    mutating func add(_ work: Work, of client: Client) {
      count += 1
      if let place = clients.index(forKey: client) {
        clients.values[place].append(work)
      } else {
        turns.append(client)
        clients[client] = Fifo(work)
      }
    }

    /// The next piece of the client whose turn it is. A client whose work was taken out has lost its turn.
    mutating func next() -> Work? {
      while let client = turns.removeFirst() {
        guard let place = clients.index(forKey: client) else { continue }
        let work = clients.values[place].removeFirst()
        if clients.values[place].count > 0 { turns.append(client) } else { clients.remove(at: place) }
        if let work {
          count -= 1
          return work
        }
      }
      return nil
    }
  }

  private var lanes: [Lane]
  /// The lane whose turn it is.
  private var turn = 0

  /// - Parameter runningMaxima: for each lane, how many of its pieces may run at the same time.
  init(runningMaxima: [Int]) { lanes = runningMaxima.map { Lane(runningMax: $0) } }

  /// Pieces that wait, in all lanes.
  var count: Int { lanes.reduce(0) { $0 + $1.count } }

  /// Pieces that wait in some of the lanes.
  func count(in some: Range<Int>) -> Int { lanes[some].reduce(0) { $0 + $1.count } }

  /// Pieces of a client that wait in some of the lanes.
  func count(of client: Client, in some: Range<Int>) -> Int {
    lanes[some].reduce(0) { $0 + ($1.clients[client]?.count ?? 0) }
  }

  /// Adds a piece behind the client's others in that lane.
  mutating func add(_ work: Work, lane: Int, client: Client) {
    lanes[lane].add(work, of: client)
  }

  /// Takes the next piece that may run, and its lane, which `finished` has to be told; nil: there is none.
  mutating func next() -> (work: Work, lane: Int)? {
    for offset in lanes.indices {
      let index = (turn + offset) % lanes.count
      guard lanes[index].running < lanes[index].runningMax, let work = lanes[index].next() else { continue }
      lanes[index].running += 1
      turn = (index + 1) % lanes.count
      return (work, index)
    }
    return nil
  }

  /// A piece of that lane runs no longer.
  mutating func finished(lane: Int) { lanes[lane].running -= 1 }

  /// Takes out what waits of a client and is no longer wanted.
  mutating func remove(client: Client, where isUnwanted: (Work) -> Bool) -> [Work] {
    var removed: [Work] = []
    for index in lanes.indices {
      let taken = lanes[index].clients[client]?.removeAll(where: isUnwanted) ?? []
      lanes[index].count -= taken.count
      removed += taken
    }
    return removed
  }
}

/// First in, first out, without moving what waits at each step.
private struct Fifo<Element: Sendable>: Sendable {
  private var elements: [Element?] = []
  /// Elements at the front that have been taken.
  private var taken = 0

  init() {}

  init(_ element: Element) { elements = [element] }

  var count: Int { elements.count - taken }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func removeFirst() -> Element? {
    guard taken < elements.count else { return nil }
    let first = elements[taken]
    // What has been taken is not kept in memory.
    elements[taken] = nil
    taken += 1
    if taken == elements.count {
      elements.removeAll(keepingCapacity: true)
      taken = 0
    } else if taken > 64, taken * 2 > elements.count {
      elements.removeFirst(taken)
      taken = 0
    }
    return first
  }

  mutating func removeAll(where isUnwanted: (Element) -> Bool) -> [Element] {
    let waiting = elements[taken...].compactMap(\.self)
    let removed = waiting.filter(isUnwanted)
    guard !removed.isEmpty else { return [] }
    elements = waiting.filter { !isUnwanted($0) }
    taken = 0
    return removed
  }
}
