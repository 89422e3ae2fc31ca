import HTTP
import Recipe
import SharedWork
import Text

/// Answers that cost more than their requests: each is computed once for all who ask, off the handlers, and
/// kept as long as what it was computed from is the same.
typealias ComputedAnswers = SharedWork<ComputedAnswer, String, Response>

/// Which answer it is.
enum ComputedAnswer: Hashable, Sendable {
  case series(JobID, CurveQuery, isCSV: Bool)
  case curves([JobID], CurveQuery)
  case tail(JobID, lines: Int)
  case checkpoints(JobID)
}

extension API {
  /// Seconds after which an answer that is still being computed is 503.
  static var computedAnswerSeconds: Int { 30 }

  /// Threads that compute answers, each of which may read the store.
  package static let computingThreads = 2

  /// How much is computed and kept.
  static let computedLimits = ComputedAnswers.Limits(
    threads: computingThreads, waitingMax: 64, keptMax: 256, keptBytesMax: 32 << 20)

  /// An answer that is kept, or will come.
  ///
  /// - Parameters:
  ///   - stamp: of what it is computed from.
  ///   - keptMilliseconds: how long it is kept at most; `nil`: as long as the stamp is the same.
  /// - Throws: 503 where too many wait already.
  func computed(
    _ answer: ComputedAnswer, stamp: String, keptMilliseconds: Int? = nil,
    _ compute: @escaping @Sendable () throws -> Response
  ) throws -> Response {
    let asked = computedAnswers.ask(answer, stamp: stamp) {
      do {
        let response = try compute()
        var bytes = 512
        if case .bytes(let body) = response.body { bytes += body.count }
        return ComputedAnswers.Result(response, bytes: bytes, keptMilliseconds: keptMilliseconds)
      } catch {
        return ComputedAnswers.Result(API.problem(for: error).response, bytes: 512, keptMilliseconds: 0)
      }
    }
    switch asked {
    case .known(let response): return response
    case .coming(let ticket):
      return Response(body: .pending(TicketWait([ticket]) { .answer($0[0]) }))
    case .busy: throw Problem.busy
    }
  }
}
