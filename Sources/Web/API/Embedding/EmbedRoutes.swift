import HTTP
import JSONText
import JobStore
import Recipe
import RunFolder
import SharedWork
import Text

// Images that a request brings: what an encoder says of them, and which images of a dataset are like them.

extension API {
  /// Seconds after which images that are still waiting are answered 503.
  package static let embedSecondsDefault = 60
  /// Seconds after which the features of a dataset that are still being computed are answered 503; they are
  /// computed nevertheless, and kept.
  static let bankSeconds = 120

  private var embedSeconds: Int { limits["embed_seconds"] ?? Self.embedSecondsDefault }

  /// `POST /jobs/{id}/embed`: the features of each image.
  @Sendable
  func embedImages(_ request: Request) throws -> Response {
    let sink = try receivedImages(request, isSearch: false)
    let head = sink.request
    let isArray = request.prefers(ByteString(NumPyHeader.mediaType))
    let layer = head.encoder.layer
    return try answer(
      EmbedOrder(
        encoder: head.encoder, path: sink.path, parts: try sink.parts(), mean: head.trained.mean,
        std: head.trained.std, pixelsMax: embedPixelsMax), sink
    ) { embeddings in
      isArray ? embeddings.array : embeddings.json(layer)
    }
  }

  /// `POST /jobs/{id}/neighbours`: the most similar images of a dataset for each image.
  @Sendable
  func findNeighbours(_ request: Request) throws -> Response {
    let sink = try receivedImages(request, isSearch: true)
    let parts = try sink.parts()
    guard let search = sink.request.search else { preconditionFailure("a search has been read") }
    let looks = DatasetLooks(datasets, .statistics)
    return try waiting(for: looks) {
      guard let look = looks.look(search.dataset), looks.isComplete else { return nil }
      return try neighbours(sink, parts, search, try Self.dataset(look))
    }
  }

  private static func dataset(_ look: DatasetLook) throws -> DatasetSummary {
    switch look {
    case .success(let summary): return summary
    case .failure(let refusal):
      throw Problem(
        status: 422, title: "The input is not valid",
        detail: "The query parameter \"dataset\": \(refusal.description).",
        errors: [("/dataset", ByteString(refusal.description).shown(charactersMax: 1_000))])
    }
  }

  private func neighbours(
    _ sink: EmbedSink, _ parts: [Range<Int>], _ search: EmbedRequest.Search, _ dataset: DatasetSummary
  ) throws -> Response {
    guard var fingerprint = dataset.fingerprint, let side = dataset.shape.last,
      let whole = fingerprint.splits[search.split], whole.images > 0
    else {
      let message = "must be a split with images, split \"\(search.split.rawValue)\" has none"
      throw Problem(
        status: 422, title: "The input is not valid", detail: "The query parameter \"split\" \(message).",
        errors: [("/split", message)])
    }
    fingerprint.splits = [search.split: whole]
    let record = dataset.isImported ? try store.dataset(named: search.dataset) : nil
    let encoder = sink.request.encoder
    let bank = BankOrder(
      encoder: encoder, dataset: search.dataset, split: search.split,
      datasetFolder: record.map { DatasetFolders(data: data).path(of: $0.id) },
      datasetDigest: fingerprint.digest)
    let order = EmbedOrder(
      encoder: encoder, path: sink.path, parts: parts, side: side, mean: fingerprint.mean,
      std: fingerprint.std, pixelsMax: embedPixelsMax)
    let answer: @Sendable (BankFinding) throws -> Response = { finding in
      var order = order
      order.search = .init(bankPath: try value(of: finding, sink), k: min(search.k, whole.images))
      return try self.answer(order, sink) {
        $0.json(search, classes: dataset.classes, layer: encoder.layer, content: sink.request.content)
      }
    }
    switch embedder.bank(bank) {
    case .known(let finding): return try answer(finding)
    case .coming(let ticket):
      let overdue = Problem.unavailable(
        "The features of split \"\(search.split.rawValue)\" of \"\(search.dataset.shown)\" are being "
          + "computed, or wait for those of another dataset; they are kept, so ask again.",
        retryAfterSeconds: Self.bankRetrySeconds)
      return Response(
        body: .pending(
          TicketWait([ticket], seconds: Self.bankSeconds, overdue: overdue) { .answer(try answer($0[0])) }))
    case .busy: throw Problem.busy
    }
  }

  /// Seconds after which a client may ask again for what takes minutes.
  private static let bankRetrySeconds = 20

  private var embedPixelsMax: Int { limits["embed_pixels_max"] ?? Self.embedPixelsMaxDefault }

  /// The images of a request, all of which have come.
  private func receivedImages(_ request: Request, isSearch: Bool) throws -> EmbedSink {
    guard let sink = request.sink as? EmbedSink, sink.bytes > 0 else {
      // An empty body has no sink: what else is wrong with the request comes first.
      _ = try embedRequest(request, isSearch: isSearch)
      throw Problem(status: 400, detail: "The body must be an image or a form with images; it is empty.")
    }
    return sink
  }

  private func answer(
    _ order: EmbedOrder, _ sink: EmbedSink, _ body: @escaping @Sendable (ImageEmbeddings) -> Response
  ) throws -> Response {
    switch embedder.embed(order, keeping: sink) {
    case .known(let finding): return body(try value(of: finding, sink))
    case .coming(let ticket):
      return Response(
        body: .pending(
          TicketWait([ticket], seconds: embedSeconds) { .answer(body(try value(of: $0[0], sink))) }))
    case .busy: throw Problem.busy
    }
  }

  private func value<Value>(of finding: Result<Value, OrderProblem>, _ sink: EmbedSink) throws -> Value {
    switch finding {
    case .success(let value): return value
    case .failure(let problem): throw Self.problem(problem, sink.request.content)
    }
  }

  private static func problem(_ problem: OrderProblem, _ content: ImageContent) -> Problem {
    guard problem.kind == .images else { return Problem(problem) }
    let messages = problem.parts.map { part in
      content == .image ? "the image: \(part.message)" : "part \(part.number): \(part.message)"
    }
    let more = messages.count > 1 ? "\(messages.count) errors; the first: " : ""
    return Problem(
      status: 422, title: "The input is not valid", detail: "\(more)\(messages.first ?? "")",
      errors: messages.map { ("", $0) })
  }
}
