import HTTP
import JSONText
import JobModel
import JobStore
import Platform
import Recipe
import RunFolder
import Text

// The two routes that import a dataset: an archive as the body, or files on the server.

extension API {
  /// How many bytes an uploaded archive may have.
  var uploadLimit: BodyLimit {
    BodyLimit(
      name: "upload_bytes_max", bytesMax: limits["upload_bytes_max"] ?? Self.uploadBytesMaxDefault,
      isSpooled: true)
  }

  /// Bytes of the largest archive where nothing else is set.
  package static let uploadBytesMaxDefault = 1 << 36

  /// What imports may take at most, by the daemon's settings.
  var importLimits: ImportLimits {
    let known = ImportLimits()
    func limit(_ setting: String, _ standard: Int) -> Int { limits[setting] ?? standard }
    return ImportLimits(
      bytes: limit("import_bytes_max", known.bytes), entries: limit("import_entries_max", known.entries),
      imageBytes: limit("import_image_bytes_max", known.imageBytes),
      pixels: limit("import_pixels_max", known.pixels),
      nesting: limit("import_nesting_max", known.nesting), ratio: limit("import_ratio_max", known.ratio))
  }

  /// What a request may say of an import next to the name and the path.
  static let importParameters: [ByteString] = ["side", "fit", "test_share", "on_bad_image", "seed"]

  private static let importNumbers: Set<ByteString> = ["side", "test_share", "seed"]

  /// Makes the sink of `PUT /datasets/{name}`: everything that can be wrong without the archive is refused
  /// here.
  @Sendable
  func uploadSink(_ request: Request) throws -> (any BodySink)? {
    let specification = try uploadSpecification(request)
    try checkFree(specification.name)
    try checkRoom(for: request)
    let folders = DatasetFolders(data: data)
    try folders.create()
    let id = store.newID()
    let control = control
    return try UploadSink(id: id, specification, path: folders.uploadPath(of: id)) {
      control.refusal.map { Problem(status: 507, detail: "\($0).") }
    }
  }

  private func uploadSpecification(_ request: Request) throws -> ImportSpecification {
    var query = QueryReader(request)
    var members: [ByteString: JSON] = [
      "name": .string(request.parameters["name"] ?? ""), "path": .string(Self.uploadSource),
    ]
    for parameter in Self.importParameters {
      guard let text = query.value(parameter) else { continue }
      // What is not a number is told of as the text that it is.
      let number = Self.importNumbers.contains(parameter) ? try? JSON.parse(text.string) : nil
      members[parameter] = number ?? .string(text)
    }
    try query.finish()
    return try ImportSpecification.parse(.object(members), limits: importLimits)
  }

  /// The `source` of a dataset whose archive was uploaded.
  static let uploadSource: ByteString = "upload"

  /// `PUT /datasets/{name}`: the body is an archive.
  @Sendable
  func putDataset(_ request: Request) throws -> Response {
    guard let sink = request.sink as? UploadSink<ImportSpecification>, sink.bytes > 0 else {
      // An empty body has no sink: what else is wrong with the request comes first.
      try checkFree(try uploadSpecification(request).name)
      throw Problem(
        status: 400, detail: "The body must be an archive: tar, tar.gz, tar.xz or zip; it is empty.")
    }
    try sink.sync()
    let answer = try enqueueImport(sink.content, id: sink.id, source: Self.uploadSource, under: nil) {
      sink.keep()
    }
    return answer.response(isRepeated: false)
  }

  /// `POST /datasets`: a file or folder below a root.
  @Sendable
  func postDataset(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let key = try request.idempotencyKey()
    if let key, let known = try store.answer(to: key) { return known.response(isRepeated: true) }
    let body = try request.json(jsonLimits)
    let problems = ProblemList()
    if body["limits"] != nil {
      problems.add("/limits", "is unknown: the daemon's settings limit imports")
    }
    var specification = ImportSpecification.read(body, at: "", limits: importLimits, problems)
    specification.limits = importLimits
    if !specification.path.isEmpty, let problem = problem(withPath: specification.path) {
      problems.add("/path", problem)
    }
    try problems.check()
    try checkFree(specification.name)
    if let refusal = control.refusal { throw Problem(status: 507, detail: "\(refusal).") }
    let source = specification.path
    return try enqueueImport(specification, id: store.newID(), source: source, under: key) {}
      .response(isRepeated: false)
  }

  /// Why a file or folder cannot be imported; whether anything is outside the roots is never told.
  private func problem(withPath path: ByteString) -> String? {
    switch roots.place(of: path.string) {
    case .inside: return nil
    case .missing: return "must be a file or folder that exists, got \"\(path.shown)\""
    case .outside:
      return roots.paths.isEmpty
        ? "must lie below a root, and the daemon was started without --dataset-root"
        : "must lie below one of the roots set by --dataset-root"
    }
  }

  /// - Throws: 409 for the name of a built-in dataset or of one that there is.
  private func checkFree(_ name: ByteString) throws {
    if datasets.names().contains(where: { ByteString($0) == name }) {
      throw Problem(
        status: 409, detail: "The dataset \"\(name.shown)\" is built in; take another name.")
    }
    if let known = try store.dataset(named: name) {
      throw JobStoreError.datasetExists(name, state: known.state)
    }
  }

  /// - Parameter kept: is called when the import is queued.
  private func enqueueImport(
    _ specification: ImportSpecification, id: JobID, source: ByteString, under key: IdempotencyKey?,
    _ kept: () -> Void
  ) throws -> StoredAnswer {
    let labelling = JobLabelling(name: ByteString("import \(specification.name)"))
    let job = NewJob(id: id, labelling: labelling, specification: .import(specification))
    let (answer, _) = try store.enqueueImport(job, name: specification.name, source: source, under: key) {
      StoredAnswer(
        status: 202,
        headers: ["Location": "/datasets/\($0.name)", "ETag": $0.entityTag.text],
        body: $0.json().text + "\n")
    }
    kept()
    control.wake()
    return answer
  }
}
