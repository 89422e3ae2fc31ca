import HTTP
import JSONText
import Recipe

// The routes of models, each said once.

extension API {
  /// Every route of models.
  var modelEndpoints: [Endpoint] {
    typealias Document = OpenAPIDocument
    let tagged = ["ETag": "of the model, which never changes; for If-None-Match and If-Match"]
    let model = Document.schema("Model")
    return [
      Endpoint(
        method: .get, pattern: "/models",
        operation: .init(
          "The models that were uploaded, the oldest first.", [Document.ifNoneMatch],
          answers: [.json(200, Document.schema("ModelList"), fields: Document.listTagged), .empty(304)],
          problems: [412]), handler: listModels),
      Endpoint(
        method: .get, pattern: "/models/{name}",
        operation: .init(
          "A model.", [Self.modelName, Document.ifNoneMatch],
          answers: [.json(200, model, fields: tagged), .empty(304)], problems: [404, 412]),
        handler: getModel),
      Endpoint(
        method: .put, pattern: "/models/{name}",
        operation: .init(
          "Upload a ResNet as a safetensors file with torchvision's names, alone or as an export of this "
            + "API. It is streamed to disk and checked in full.", [Self.modelName] + Self.modelQuery,
          body: (["type": "string"], true), bodyTypes: ["application/octet-stream"],
          answers: [.json(201, model, fields: tagged.merging(["Location": "of the model"]) { $1 })],
          problems: [409]), weight: .heavy, bodyLimit: modelLimit, sink: modelSink, handler: putModel),
      Endpoint(
        method: .delete, pattern: "/models/{name}",
        operation: .init(
          "Delete a model.", [Self.modelName, Document.ifMatch], answers: [.empty(204)],
          problems: [404, 409, 412]), weight: .heavy, handler: deleteModel),
      Endpoint(
        method: .get, pattern: "/models/{name}/export",
        operation: .init(
          "The file that was uploaded.", [Self.modelName, Document.ifNoneMatch],
          answers: [
            Document.Answer(
              status: 200, content: ["application/octet-stream": ["type": "string", "format": "binary"]],
              fields: ["ETag": "the file's SHA-256; for If-None-Match and If-Range"]),
            Document.Answer(
              status: 206, content: ["application/octet-stream": ["type": "string", "format": "binary"]]),
            .empty(304),
          ], problems: [404, 412, 416]), weight: .heavy, handler: exportModel),
    ]
  }

  private static let modelName = OpenAPIDocument.Parameter.path(
    "name", ["type": "string", "minLength": 1], "the model")

  /// What an upload may say of its model.
  private static let modelQuery: [OpenAPIDocument.Parameter] = [
    .query(
      "arch", OpenAPIDocument.choices(EncoderSpecification.Architecture.self),
      "its architecture; follows from the tensors, which it must agree with"),
    .query(
      "stem", OpenAPIDocument.choices(EncoderSpecification.Stem.self),
      "its stem; follows from the tensors, which it must agree with"),
    .query(
      "width", .integerSchema(EncoderSpecification.widthRange),
      "channels of its first stage; follow from the tensors, which it must agree with"),
    .query(
      "stem_padding", .integerSchema(EncoderSpecification.stemPaddingRange),
      "zero padding in pixels of a cifar stem's convolution; default: what the file's metadata says, else 0 "
        + "for one with a bias and 1 for one without"),
    .query(
      "image_size", .integerSchema(TrainSpecification.imageSizeRange),
      "side in pixels of the images that it was made for; default: what the file's metadata says, else that "
        + "of each dataset"),
  ]
}
