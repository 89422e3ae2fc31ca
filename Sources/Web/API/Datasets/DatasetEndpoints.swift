import HTTP
import JSONText
import JobStore
import Recipe
import Text

// The routes of datasets, each said once.

extension API {
  /// Every route of datasets.
  var datasetEndpoints: [Endpoint] {
    typealias Document = OpenAPIDocument
    let tagged = ["ETag": "changes whenever the dataset does; for If-None-Match and If-Match"]
    let accepted = tagged.merging(["Location": "of the dataset"]) { $1 }
    let dataset = Document.schema("Dataset")
    return [
      Endpoint(
        method: .get, pattern: "/datasets",
        operation: .init(
          "What can be trained on.", [Document.ifNoneMatch],
          answers: [.json(200, Document.schema("DatasetList"), fields: Document.listTagged), .empty(304)],
          problems: [412]), handler: listDatasets),
      Endpoint(
        method: .post, pattern: "/datasets",
        operation: .init(
          "Import an archive, a file of images or a folder below one of the daemon's roots.",
          [Document.idempotencyKey], body: (Document.schema("DatasetImport"), true),
          answers: [
            .json(
              202, dataset,
              fields: accepted.merging(["Idempotency-Replayed": "`true` where the key was known"]) { $1 })
          ], problems: [409]), handler: postDataset),
      Endpoint(
        method: .get, pattern: "/datasets/{name}",
        operation: .init(
          "A dataset.", [Self.nameParameter, Document.ifNoneMatch],
          answers: [.json(200, dataset, fields: tagged), .empty(304)], problems: [404, 412, 422]),
        handler: getDataset),
      Endpoint(
        method: .put, pattern: "/datasets/{name}",
        operation: .init(
          "Import an uploaded archive: tar, tar.gz, tar.xz or zip. It is streamed to disk.",
          [Self.nameParameter] + Self.importQuery, body: (["type": "string"], true),
          bodyTypes: ["application/octet-stream"],
          answers: [.json(202, dataset, fields: accepted)], problems: [409]),
        bodyLimit: uploadLimit, sink: uploadSink, handler: putDataset),
      Endpoint(
        method: .delete, pattern: "/datasets/{name}",
        operation: .init(
          "Delete an imported dataset.", [Self.nameParameter, Document.ifMatch],
          answers: [.empty(204)], problems: [404, 409, 412]), weight: .heavy, handler: deleteDataset),
      Endpoint(
        method: .get, pattern: "/datasets/{name}/sample.png",
        operation: .init(
          "Images of a dataset on one sheet, at equal distances.",
          [
            Self.nameParameter, Self.splitParameter,
            .query(
              "count", .integerSchema(Self.sampleRange), "images; default \(Self.sampleDefault)"),
            .query("class", ["type": "string"], "the name of a class; default: all classes"),
          ], answers: [Self.png, .empty(304)], problems: [404, 409, 412]), weight: .heavy,
        handler: getSample),
      Endpoint(
        method: .get, pattern: "/datasets/{name}/images/{index}",
        operation: .init(
          "One image of a dataset: {index} is its number and `.png`.",
          [
            Self.nameParameter, Self.splitParameter,
            .path("index", ["type": "string", "pattern": "^[0-9]+\\.png$"], "the image, from 0.png"),
          ], answers: [Self.png, .empty(304)], problems: [404, 409, 412]), weight: .heavy,
        handler: getImage),
    ]
  }

  /// Images on one sheet.
  static let sampleRange = 1...400
  /// Images on a sheet where nothing is asked for.
  static let sampleDefault = 64

  private static let png = OpenAPIDocument.Answer(
    status: 200, content: ["image/png": ["type": "string", "format": "binary"]],
    fields: ["ETag": "changes whenever the dataset does; for If-None-Match"])

  private static let nameParameter = OpenAPIDocument.Parameter.path(
    "name", ["type": "string", "minLength": 1], "the dataset")

  private static let splitParameter = OpenAPIDocument.Parameter.query(
    "split", OpenAPIDocument.choices(DatasetSelection.Split.self), "the part of the dataset; default train")

  /// The parameters of an upload: the fields of an import.
  private static let importQuery: [OpenAPIDocument.Parameter] = {
    let properties = ImportSpecification.schema["properties"]?.object ?? [:]
    return importParameters.map { name in
      let schema = properties[name] ?? [:]
      return .query(name.string, schema, schema["description"]?.string?.string ?? "")
    }
  }()

  /// The body of `POST /datasets`.
  static let importSchema: JSON = {
    guard var members = ImportSpecification.schema.object, var fields = members["properties"]?.object else {
      return .null
    }
    fields["limits"] = nil
    members["properties"] = .object(fields)
    return .object(members)
  }()
}
