import HTTP
import RunFolder

extension Problem {
  /// What a client is answered whose order a process of its own could not carry out.
  ///
  /// - Parameter subject: what stands before the sentence.
  init(_ problem: OrderProblem, about subject: String = "") {
    let detail = "\(subject)\(problem)"
    switch problem.kind {
    case .images: self.init(status: 422, title: "The input is not valid", detail: "\(detail).")
    case .impossible, .dataset: self.init(status: 409, detail: "\(detail).")
    case .overTime, .gone:
      self = .unavailable("\(detail); ask again.", retryAfterSeconds: Self.orderRetrySeconds)
    case .full: self.init(status: 507, detail: "\(detail).")
    case .unreadable, .memory, .failed: self.init(status: 500, detail: "\(detail).")
    }
  }

  private static let orderRetrySeconds = 2
}
