import HTTP
import JSONText
import JobStore
import Platform
import Recipe
import RunFolder
import Text

/// Checks the file of an uploaded model in full: its path, and what the upload says of the model. Throws
/// `SpecificationProblems`.
package typealias ModelCheck = @Sendable (_ path: String, _ claims: ModelClaims) throws -> ModelFinding

/// What the head of an upload says.
struct ModelUpload: Sendable {
  let name: ByteString
  let claims: ModelClaims
}

// The route by which a model comes in.

extension API {
  /// How many bytes an uploaded model may have.
  var modelLimit: BodyLimit {
    BodyLimit(
      name: "model_bytes_max", bytesMax: limits["model_bytes_max"] ?? Self.modelBytesMaxDefault,
      isSpooled: true)
  }

  /// Bytes of the largest model where nothing else is set.
  package static let modelBytesMaxDefault = 1 << 32

  /// Makes the sink of `PUT /models/{name}`: everything that can be wrong without the file is refused here.
  @Sendable
  func modelSink(_ request: Request) throws -> (any BodySink)? {
    let upload = try modelUpload(request)
    try checkFree(model: upload.name)
    try checkRoom(for: request)
    let folder = ModelFolder(data: data)
    let id = store.newID()
    let control = control
    return try UploadSink(id: id, upload, path: folder.uploadPath(of: id)) {
      control.refusal.map { Problem(status: 507, detail: "\($0).") }
    }
  }

  private func modelUpload(_ request: Request) throws -> ModelUpload {
    var query = QueryReader(request)
    let claims = ModelClaims(
      architecture: query.choice("arch"), stem: query.choice("stem"),
      width: query.integer("width", EncoderSpecification.widthRange),
      stemPadding: query.integer("stem_padding", EncoderSpecification.stemPaddingRange),
      imageSize: query.integer("image_size", TrainSpecification.imageSizeRange))
    let name = request.parameters["name"] ?? ""
    if !ImportSpecification.isName(name) {
      query.refuse("name", "\(ImportSpecification.nameRequirement), got \"\(name.shown)\"")
    }
    try query.finish()
    return ModelUpload(name: name, claims: claims)
  }

  /// - Throws: 409 for the name of a model that there is.
  private func checkFree(model name: ByteString) throws {
    if try store.model(named: name) != nil { throw JobStoreError.modelExists(name) }
  }

  /// `PUT /models/{name}`: the body is a safetensors file.
  @Sendable
  func putModel(_ request: Request) throws -> Response {
    guard let sink = request.sink as? UploadSink<ModelUpload>, sink.bytes > 0 else {
      // An empty body has no sink: what else is wrong with the request comes first.
      try checkFree(model: try modelUpload(request).name)
      throw Problem(status: 400, detail: "The body must be a safetensors file; it is empty.")
    }
    defer { sink.discard() }
    let finding = try checkModel(sink.path, sink.content.claims)
    try sink.sync()
    let folder = ModelFolder(data: data)
    let record = ModelRecord(
      id: sink.id, name: sink.content.name, description: finding.description,
      parameterCount: finding.parameterCount, digest: try RunFolder.sha256(of: sink.path),
      bytes: sink.bytes, createdAtMilliseconds: SystemClock.unixMilliseconds)
    // The file has both names until the model is registered: a daemon that starts knows by the first one that
    // the upload had not come to its end.
    try folder.accept(record.id)
    do {
      try store.add(record)
    } catch {
      try folder.withdraw(record.id)
      throw error
    }
    var response = Response.json(record.json, status: 201)
    response.headers.set("Location", "/models/\(record.name)")
    response.headers.set("ETag", record.entityTag.text)
    return response
  }
}
