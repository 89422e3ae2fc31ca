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
    try showing(request) { classes in
      var query = QueryReader(request)
      let split: DatasetSelection.Split = query.choice("split") ?? .train
      let count = query.integer("count", Self.sampleRange) ?? Self.sampleDefault
      var label: Int?
      if let name = query.value("class") {
        label = classes.firstIndex { ByteString($0) == name }
        if label == nil {
          let known = classes.isEmpty ? "there are none" : classes.prefix(20).joined(separator: ", ")
          query.refuse("class", "must be a class of the dataset (\(known)), got \"\(name.shown)\"")
        }
      }
      try query.finish()
      return (split, .sample(count: count, label: label))
    }
  }

  /// `GET /datasets/{name}/images/{index}.png`
  @Sendable
  func getImage(_ request: Request) throws -> Response {
    try showing(request) { _ in
      var query = QueryReader(request)
      let split: DatasetSelection.Split = query.choice("split") ?? .train
      try query.finish()
      let file = request.parameters["index"] ?? ""
      guard file.hasSuffix(".png"), let index = ByteString(decoding: file.bytes.dropLast(4)).integer,
        index >= 0
      else {
        throw Problem(
          status: 404, detail: "An image is named by its number and .png, got \"\(file.shown)\".")
      }
      return (split, .one(index: index))
    }
  }

  /// The answer with the images that `choose` names, which is given the dataset's classes.
  private func showing(
    _ request: Request,
    _ choose: @escaping @Sendable ([String]) throws -> (DatasetSelection.Split, PictureChoice)
  ) throws -> Response {
    let name = request.parameters["name"] ?? ""
    if let record = try store.dataset(named: name) {
      guard record.state == .ready else { throw Problem(status: 409, detail: "\(record.problem).") }
      let (split, choice) = try choose(record.summary?.classes ?? [])
      let folder = DatasetFolders(data: data).path(of: record.id)
      var response = try Self.picture(
        try datasets.picture(folder: folder, split: split, choice), of: name, split)
      response.headers.set("ETag", record.entityTag.text)
      return response
    }
    let looks = DatasetLooks(datasets, .layout)
    return try waiting(for: looks) {
      guard let look = looks.look(name), looks.isComplete else { return nil }
      let (split, choice) = try choose(try Self.found(look).classes)
      switch datasets.picture(name: name.string, split: split, choice) {
      case .known(let found): return try Self.picture(try Self.found(found), of: name, split).tagged
      case .coming(let ticket):
        return Response(
          body: .pending(
            TicketWait([ticket]) {
              .answer(try Self.picture(try Self.found($0[0]), of: name, split).tagged)
            }))
      case .busy: throw Problem.busy
      }
    }
  }

  private static func picture(
    _ bytes: [UInt8]?, of name: ByteString, _ split: DatasetSelection.Split
  ) throws -> Response {
    guard let bytes else {
      throw Problem(
        status: 404,
        detail: "The split \"\(split.rawValue)\" of dataset \"\(name.shown)\" has no such image.")
    }
    var response = Response(contentType: "image/png", bytes: bytes)
    response.headers.add("Cache-Control", "no-cache")
    return response
  }
}
