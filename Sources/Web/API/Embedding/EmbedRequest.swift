import HTTP
import JSONText
import JobStore
import Platform
import Recipe
import RunFolder
import Text

/// What the head of a request says of images that are to be embedded; everything in it has been found right.
struct EmbedRequest: Sendable {
  let content: ImageContent
  let encoder: EncoderOrder
  /// What is known of the dataset that the encoder was trained on.
  let trained: DatasetFingerprint
  /// Where neighbours are looked for; nil: the features are the answer.
  let search: Search?

  /// A search for the nearest neighbours in a dataset.
  struct Search: Sendable, Equatable {
    let dataset: ByteString
    let split: DatasetSelection.Split
    let k: Int
  }
}

extension API {
  /// Images of one request.
  package static let embedPartsMax = 256
  /// Neighbours of one image.
  static let neighboursRange = 1...1_000
  /// Neighbours of one image where nothing is asked for.
  static let neighboursDefault = 10
  /// Bytes of all images of a request where nothing else is set.
  package static let embedBodyBytesMaxDefault = 64 << 20
  /// Pixels of one image where nothing else is set.
  package static let embedPixelsMaxDefault = 50_000_000

  /// How many bytes the images of a request may have together.
  var embedLimit: BodyLimit {
    BodyLimit(
      name: "embed_body_bytes_max",
      bytesMax: limits["embed_body_bytes_max"] ?? Self.embedBodyBytesMaxDefault, isSpooled: true)
  }

  /// Makes the sink of `POST /jobs/{id}/embed`: everything that can be wrong without the images is refused
  /// here.
  @Sendable
  func embedSink(_ request: Request) throws -> (any BodySink)? {
    try sink(for: embedRequest(request, isSearch: false))
  }

  /// Makes the sink of `POST /jobs/{id}/neighbours`.
  @Sendable
  func neighboursSink(_ request: Request) throws -> (any BodySink)? {
    try sink(for: embedRequest(request, isSearch: true))
  }

  private func sink(for request: EmbedRequest) throws -> any BodySink {
    if let refusal = control.refusal { throw Problem(status: 507, detail: "\(refusal).") }
    let folder = Self.embedFolder(in: data)
    try FileSystem.makeDirectories(folder)
    return try EmbedSink(request, path: "\(folder)/\(store.newID())", partsMax: Self.embedPartsMax)
  }

  /// Where the images of requests lie until they have been read; a daemon that starts empties it.
  package static func embedFolder(in data: String) -> String { "\(data)/embeds" }

  /// Reads the head of a request for embeddings or neighbours.
  ///
  /// - Throws: `Problem`.
  func embedRequest(_ request: Request, isSearch: Bool) throws -> EmbedRequest {
    var query = QueryReader(request)
    let layer: EvaluationLayer = query.choice("layer") ?? .pooled
    let which = query.value("checkpoint") ?? "last"
    let search = isSearch ? readSearch(&query) : nil
    let record = try record(request)
    guard record.kind == .train, let training = try record.specification().train else {
      try query.finish()
      throw Problem(
        status: 409,
        detail: "job \(record.id) has no encoder: its kind is \(record.kind.rawValue), only a train job has "
          + "one.")
    }
    if let problem = layer.problem(with: training) { query.refuse("layer", problem) }
    guard let manifest = try manifest(named: which, of: record, query) else {
      try query.finish()
      throw Problem(
        status: 409,
        detail: "job \(record.id) has no checkpoint yet; it is \(record.state.rawValue).")
    }
    try query.finish()
    let content = try ImageContent(request)
    let folder = RunFolder(data: data, job: record.id)
    // A run folder of an older version has no record; then what was queued counts.
    guard let trained = try folder.readInputs()?.dataset ?? record.dataset(), trained.mean.count == 3,
      trained.std.count == 3, let side = trained.shape.last
    else {
      throw Problem(
        status: 409,
        detail: "job \(record.id) has not recorded the mean and deviation of its images.")
    }
    return EmbedRequest(
      content: content,
      encoder: EncoderOrder(
        checkpointPath: folder.checkpoints.path(of: manifest.name), checkpointSHA256: manifest.sha256,
        layer: layer, storedSide: training.viewSide(storedSide: side)),
      trained: trained, search: search)
  }

  private func readSearch(_ query: inout QueryReader) -> EmbedRequest.Search? {
    let dataset = query.value("dataset")
    let split: DatasetSelection.Split = query.choice("split") ?? .train
    let k = query.integer("k", Self.neighboursRange) ?? Self.neighboursDefault
    guard let dataset, !dataset.isEmpty else {
      query.refuse("dataset", "must be the name of a dataset; it is missing")
      return nil
    }
    return EmbedRequest.Search(dataset: dataset, split: split, k: k)
  }
}
