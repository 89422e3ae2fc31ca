import HTTP
import JSONText
import Platform
import RunFolder

extension API {
  /// `GET /jobs/{id}/artifacts`, by name.
  @Sendable
  func listArtifacts(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let record = try record(request)
    let list = try RunFolder(data: data, job: record.id).artifacts.list()
    return Response.json(["artifacts": .array(list.map(\.json))]).tagged
  }

  /// `GET /jobs/{id}/artifacts/{name}`: the file; ranges resume a broken download.
  @Sendable
  func getArtifact(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let record = try record(request)
    let folder = RunFolder(data: data, job: record.id).artifacts
    let name = request.parameters["name"] ?? ""
    guard let manifest = folder.manifest(of: name.string),
      let found = try confined(folder.path(of: manifest.name))
    else {
      let known = try folder.list().map(\.name).joined(separator: ", ")
      let hint = known.isEmpty ? "it has none yet" : "there are \(known)"
      throw Problem(status: 404, detail: "job \(record.id) has no artifact \(name.shown); \(hint).")
    }
    return file(
      folder.path(of: manifest.name), name: manifest.name, mediaType: manifest.mediaType,
      bytes: manifest.bytes, sha256: manifest.sha256, modified: found.identity.modified)
  }

  /// A file whose digest is known, as a download that can be resumed.
  func file(
    _ path: String, name: String, mediaType: String, bytes: Int, sha256: String, modified: FileTime
  ) -> Response {
    var response = Response(body: .file(path: path, offset: 0, count: bytes))
    response.headers.add("Content-Type", mediaType)
    response.headers.add("Content-Disposition", "attachment; filename=\"\(name)\"")
    response.headers.add("Accept-Ranges", "bytes")
    response.headers.add("Cache-Control", "no-cache")
    response.headers.add("ETag", EntityTag(sha256).text)
    let lastModified = lastModified(
      unixSeconds: modified.unixSeconds, nowUnixSeconds: SystemClock.unixMilliseconds / 1_000)
    if let lastModified { response.headers.add("Last-Modified", lastModified) }
    response.headers.add("Repr-Digest", "sha-256=:\(base64(hexadecimal: sha256)):")
    return response
  }
}
