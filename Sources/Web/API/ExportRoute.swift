import HTTP
import JSONText
import JobStore
import Recipe
import RunFolder
import SharedWork
import Text

/// What makes files of checkpoints for other programs.
package protocol ModelExports: Sendable {
  /// The file of an order, or that it will be made. Returns at once: no checkpoint is read in this process.
  func export(_ order: ExportOrder) -> Asked<ExportFinding>
  /// Removes what was made of a job that has been deleted.
  func forget(_ job: JobID)
}

extension API {
  /// Seconds after which an export that is still being made is answered 503; it goes on, and is kept.
  static let exportSeconds = 120
  /// Checkpoints that an error names.
  private static let checkpointsShownMax = 8

  /// `GET /jobs/{id}/export`: a checkpoint's model as a file of another program.
  @Sendable
  func exportJob(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let format: ExportFormat = query.choice("format") ?? .safetensors
    let part: ExportPart = query.choice("part") ?? .encoder
    let which = query.value("checkpoint") ?? "last"
    let record = try record(request)
    guard record.kind == .train else {
      try query.finish()
      throw Problem(
        status: 409,
        detail: "job \(record.id) has no model: its kind is \(record.kind.rawValue), only a train job has "
          + "one.")
    }
    guard let manifest = try manifest(named: which, of: record, query) else {
      try query.finish()
      throw Problem(
        status: 409,
        detail: "job \(record.id) has no checkpoint yet; it is \(record.state.rawValue).")
    }
    try query.finish()
    if let refusal = control.refusal { throw Problem(status: 507, detail: "\(refusal).") }
    let order = try order(format, part, manifest, record)
    switch exports.export(order) {
    case .known(let finding): return try Self.answer(finding, to: order, manifest, record)
    case .coming(let ticket):
      return Response(
        body: .pending(
          TicketWait([ticket], seconds: Self.exportSeconds) {
            .answer(try Self.answer($0[0], to: order, manifest, record))
          }))
    case .busy: throw Problem.busy
    }
  }

  /// The checkpoint that a parameter names; `nil`: the job has none, or what is wrong has been noted.
  func manifest(
    named which: ByteString, of record: JobRecord, _ query: QueryReader
  ) throws -> CheckpointManifest? {
    let folder = RunFolder(data: data, job: record.id).checkpoints
    let newest = try folder.list(newestMax: Self.checkpointsShownMax)
    guard let last = newest.last else { return nil }
    var found: CheckpointManifest?
    switch CheckpointReference.Choice(which) {
    case .last: return last
    case .best: found = best(of: try folder.list(newestMax: Self.checkpointsListedMax), record)
    case .named(let name): found = folder.manifest(of: name.string)
    }
    if let found { return found }
    let known = ["last"] + (keepBest(of: record) == nil ? [] : ["best"]) + newest.map { ByteString($0.name) }
    query.refuse(
      "checkpoint",
      "must be one of \(known.joined(separator: ", ")), got \"\(which.shown)\"")
    return last
  }

  /// What is to be made of a checkpoint, with what is known of its dataset and its machine.
  private func order(
    _ format: ExportFormat, _ part: ExportPart, _ manifest: CheckpointManifest, _ record: JobRecord
  ) throws -> ExportOrder {
    let folder = RunFolder(data: data, job: record.id)
    // A run folder of an older version has no record; then what was queued counts.
    let dataset = try folder.readInputs()?.dataset ?? record.dataset()
    var metadata = [
      "job": record.id.text, "checkpoint": manifest.name, "checkpoint_sha256": manifest.sha256,
      "version": version,
    ]
    if let dataset { metadata["digest"] = dataset.digest }
    if let host = record.host { metadata["host"] = host.json.text }
    return ExportOrder(
      job: record.id, checkpointPath: folder.checkpoints.path(of: manifest.name), format: format,
      part: part,
      mean: dataset?.mean ?? [], std: dataset?.std ?? [], imageSide: dataset?.shape.last,
      metadata: metadata)
  }

  private static func answer(
    _ finding: ExportFinding, to order: ExportOrder, _ manifest: CheckpointManifest, _ record: JobRecord
  ) throws -> Response {
    let file: ExportedFile
    switch finding {
    case .success(let made): file = made
    case .failure(let problem):
      throw Problem(problem, about: "job \(record.id), checkpoint \(manifest.name): ")
    }
    let stem = manifest.name.prefix { $0 != "." }
    let name = "\(record.id)-\(stem)\(order.part == .all ? "-all" : "").\(order.format.rawValue)"
    var response = Response(body: .file(path: file.path, offset: 0, count: file.bytes))
    response.headers.add("Content-Type", "application/octet-stream")
    response.headers.add("Content-Disposition", "attachment; filename=\"\(name)\"")
    response.headers.add("Accept-Ranges", "bytes")
    response.headers.add("Cache-Control", "no-cache")
    response.headers.add("ETag", EntityTag(String(order.digest.prefix(32))).text)
    return response
  }
}
