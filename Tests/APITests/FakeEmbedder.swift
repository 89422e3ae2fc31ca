import API
import Platform
import RunFolder
import SharedWork
import Synchronization

/// Describes an image by the bytes that it has, or refuses; notes what was asked for.
final class FakeEmbedder: EmbeddingService {
  private struct State {
    var orders: [EmbedOrder] = []
    var banks: [BankOrder] = []
    /// What the files that were ordered had in each part.
    var contents: [[[UInt8]]] = []
    var problem: OrderProblem?
    var bankProblem: OrderProblem?
  }

  private let state = Mutex(State())
  var orders: [EmbedOrder] { state.withLock { $0.orders } }
  var banks: [BankOrder] { state.withLock { $0.banks } }
  var contents: [[[UInt8]]] { state.withLock { $0.contents } }
  func refuse(_ problem: OrderProblem?) { state.withLock { $0.problem = problem } }
  func refuseBank(_ problem: OrderProblem?) { state.withLock { $0.bankProblem = problem } }

  func embed(_ order: EmbedOrder, keeping content: any AnyObject & Sendable) -> Asked<EmbedFinding> {
    // A file that cannot be read has no content, which a test sees.
    let file = (try? File(order.path, .read).readAll()) ?? []
    let parts = order.parts.map { Array(file[$0]) }
    let problem = state.withLock { state in
      state.orders.append(order)
      state.contents.append(parts)
      return state.problem
    }
    if let problem { return .known(.failure(problem)) }
    if let search = order.search {
      let list = (0..<search.k).map {
        ImageEmbeddings.Neighbour(index: $0, label: $0 == 0 ? nil : 1, similarity: 1 - Double($0) / 4)
      }
      return .known(
        .success(ImageEmbeddings(dimension: 2, neighbours: Array(repeating: list, count: parts.count))))
    }
    var bytes: [UInt8] = []
    for value in parts.flatMap({ part -> [Float] in [Float(part.count), 0.1] }) {
      for place in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * place))) }
    }
    return .known(.success(ImageEmbeddings(dimension: 2, rows: bytes)))
  }

  func bank(_ order: BankOrder) -> Asked<BankFinding> {
    let problem = state.withLock { state in
      state.banks.append(order)
      return state.bankProblem
    }
    return .known(problem.map { .failure($0) } ?? .success("/bank"))
  }
}
