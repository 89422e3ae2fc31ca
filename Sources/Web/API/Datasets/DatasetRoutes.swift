import HTTP
import JSONText
import JobStore
import Platform
import Recipe
import RunFolder
import Text

// What is done with imported datasets.

extension API {
  /// `DELETE /datasets/{name}`: the row, then the files.
  @Sendable
  func deleteDataset(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let name = request.parameters["name"] ?? ""
    if datasets.names().contains(where: { ByteString($0) == name }) {
      throw Problem(status: 409, detail: "The dataset \"\(name.shown)\" is built in and cannot be deleted.")
    }
    let record = try store.deleteDataset(named: name) { record in
      if let problem = request.preconditionProblem(tag: record.entityTag) { throw problem }
    }
    // What cannot be removed is swept away when the daemon starts.
    try? DatasetFolders(data: data).remove(record.id)
    return Response(status: 204)
  }

  /// `GET /datasets/{name}/sample.png`
  @Sendable
  func getSample(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let split: DatasetSelection.Split = query.choice("split") ?? .train
    let count = query.integer("count", Self.sampleRange) ?? Self.sampleDefault
    let name = query.value("class")
    let record = try readyDataset(request)
    var label: Int?
    if let name {
      let classes = record.summary?.classes ?? []
      label = classes.firstIndex { ByteString($0) == name }
      if label == nil {
        let known = classes.isEmpty ? "there are none" : classes.prefix(20).joined(separator: ", ")
        query.refuse("class", "must be a class of the dataset (\(known)), got \"\(name.shown)\"")
      }
    }
    try query.finish()
    return try picture(of: record, split, .sample(count: count, label: label))
  }

  /// `GET /datasets/{name}/images/{index}.png`
  @Sendable
  func getImage(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let split: DatasetSelection.Split = query.choice("split") ?? .train
    try query.finish()
    let record = try readyDataset(request)
    let file = request.parameters["index"] ?? ""
    guard file.hasSuffix(".png"), let index = ByteString(decoding: file.bytes.dropLast(4)).integer, index >= 0
    else {
      throw Problem(status: 404, detail: "An image is named by its number and .png, got \"\(file.shown)\".")
    }
    return try picture(of: record, split, .one(index: index))
  }

  private func readyDataset(_ request: Request) throws -> DatasetRecord {
    let name = request.parameters["name"] ?? ""
    guard let record = try store.dataset(named: name) else {
      let isBuiltIn = datasets.names().contains { ByteString($0) == name }
      throw Problem(
        status: 404,
        detail: isBuiltIn
          ? "The dataset \"\(name.shown)\" is built in; only images of imported datasets are shown."
          : "There is no dataset \"\(name.shown)\".")
    }
    guard record.state == .ready else { throw Problem(status: 409, detail: "\(record.problem).") }
    return record
  }

  private func picture(
    of record: DatasetRecord, _ split: DatasetSelection.Split, _ choice: PictureChoice
  ) throws -> Response {
    let folder = DatasetFolders(data: data).path(of: record.id)
    guard let bytes = try datasets.picture(folder: folder, split: split, choice) else {
      throw Problem(
        status: 404,
        detail: "The split \"\(split.rawValue)\" of dataset \"\(record.name.shown)\" has no such image.")
    }
    var response = Response(contentType: "image/png", bytes: bytes)
    response.headers.add("Cache-Control", "no-cache")
    response.headers.set("ETag", record.entityTag.text)
    return response
  }
}
