import HTTP
import Platform
import Recipe
import SharedWork
import Synchronization
import Text

/// What one request has to know of datasets, gathered while it is answered: what is not known yet is noted,
/// waited for without a thread, and then the request is answered again from the beginning.
final class DatasetLooks: Sendable {
  private struct State {
    var known: [ByteString: DatasetLook] = [:]
    var coming: [(name: ByteString, ticket: Ticket<DatasetLook>)] = []
    /// Datasets that had to be looked at for this request.
    var comingCount = 0
    var isBusy = false
  }

  private let directory: any DatasetDirectory
  private let depth: DatasetDepth
  private let state = Mutex(State())

  /// Datasets that are looked at for one request at the same time: others want theirs.
  private static let comingMax = 16
  /// Datasets that are looked at for one request in all.
  static let looksMax = 100

  init(_ directory: any DatasetDirectory, _ depth: DatasetDepth) {
    self.directory = directory
    self.depth = depth
  }

  /// What is known of a dataset; `nil`: nothing yet, and the request cannot be answered now.
  func look(_ name: ByteString) -> DatasetLook? {
    state.withLock { state in
      if let known = state.known[name] { return known }
      if state.isBusy || state.coming.count >= Self.comingMax { return nil }
      if state.coming.contains(where: { $0.name == name }) { return nil }
      switch directory.look(name.string, depth) {
      case .known(let look):
        state.known[name] = look
        return look
      case .coming(let ticket):
        if state.comingCount >= Self.looksMax {
          ticket.close()
          let text = "is one of more than \(Self.looksMax) datasets of this request that are not known yet"
          return .failure(DatasetRefusal(isAbsent: false, text))
        }
        state.comingCount += 1
        state.coming.append((name, ticket))
      case .busy: state.isBusy = true
      }
      return nil
    }
  }

  /// Whether everything that was looked for is known.
  var isComplete: Bool { state.withLock { $0.coming.isEmpty && !$0.isBusy } }

  /// What has to be waited for.
  ///
  /// - Throws: 503 where nothing can be: too much is waiting already.
  func tickets() throws -> [Ticket<DatasetLook>] {
    try state.withLock { state in
      defer { state.isBusy = false }
      if state.coming.isEmpty { throw Problem.busy }
      return state.coming.map(\.ticket)
    }
  }

  /// Waits for what has to be waited for, on a thread that nobody waits for.
  ///
  /// - Throws: as `tickets`.
  func wait() throws {
    let tickets = try tickets()
    let monitor = Monitor()
    for ticket in tickets { ticket.attach { monitor.signal() } }
    monitor.wait { tickets.allSatisfy { $0.value() != nil } }
    take(tickets.compactMap { $0.value() })
    for ticket in tickets { ticket.close() }
  }

  /// Takes what was waited for, in the order of `tickets`.
  func take(_ looks: [DatasetLook]) {
    state.withLock { state in
      for (coming, look) in zip(state.coming, looks) { state.known[coming.name] = look }
      state.coming = []
    }
  }
}

extension API {
  /// The answer of `body`, which is called again each time that more is known of datasets, as long as it
  /// gives none.
  func waiting(
    for looks: DatasetLooks, _ body: @escaping @Sendable () throws -> Response?
  ) throws -> Response {
    if let response = try body() { return response }
    let wait = TicketWait(try looks.tickets()) { values in
      looks.take(values)
      if let response = try body() { return .answer(response) }
      return .wait(try looks.tickets())
    }
    return Response(body: .pending(wait))
  }
}
