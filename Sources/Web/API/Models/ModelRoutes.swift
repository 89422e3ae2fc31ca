import HTTP
import JSONText
import JobStore
import RunFolder
import Text

// What is done with models.

extension API {
  /// `GET /models`, the oldest first.
  @Sendable
  func listModels(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    return Response.json(["models": .array(try store.models().map(\.json))]).tagged
  }

  /// `GET /models/{name}`
  @Sendable
  func getModel(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let record = try model(request)
    var response = Response.json(record.json)
    response.headers.set("ETag", record.entityTag.text)
    return response
  }

  /// `GET /models/{name}/export`: the file as it was uploaded.
  @Sendable
  func exportModel(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let record = try model(request)
    let path = ModelFolder(data: data).path(of: record.id)
    guard let found = try confined(path) else {
      throw Problem(status: 500, detail: "The file of the model \"\(record.name)\" is missing.")
    }
    return file(
      path, name: "\(record.name).safetensors", mediaType: "application/octet-stream", bytes: record.bytes,
      sha256: record.digest, modified: found.identity.modified)
  }

  /// `DELETE /models/{name}`: the row and the file, both or neither.
  @Sendable
  func deleteModel(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let folder = ModelFolder(data: data)
    var doomed: ModelRecord?
    do {
      let record = try store.deleteModel(named: request.parameters["name"] ?? "") { record in
        if let problem = request.preconditionProblem(tag: record.entityTag) { throw problem }
        try folder.doom(record.id)
        doomed = record
      }
      // What cannot be removed is swept away when the daemon starts.
      try? folder.removeDoomed(record.id)
    } catch {
      if let doomed { try folder.restore(doomed.id) }
      throw error
    }
    return Response(status: 204)
  }

  private func model(_ request: Request) throws -> ModelRecord {
    let name = request.parameters["name"] ?? ""
    guard let record = try store.model(named: name) else { throw JobStoreError.noSuchModel(name) }
    return record
  }
}
