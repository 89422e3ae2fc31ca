import HTTP
import JSONText
import Recipe
import RunFolder
import Text

// The routes of embeddings, each said once.

extension API {
  /// Every route of embeddings.
  var embeddingEndpoints: [Endpoint] {
    typealias Document = OpenAPIDocument
    let parameters = [
      Document.Parameter.path("id", Document.schema("JobID"), "the training"),
      .query(
        "layer", Document.choices(EvaluationLayer.self), "whose output describes an image; default pooled"),
      .query(
        "checkpoint", ["type": "string", "minLength": 1],
        "last (the default), best (by checkpoint.keep_best), or the name of a checkpoint"),
    ]
    let search = [
      Document.Parameter.query("dataset", ["type": "string", "minLength": 1], "a dataset; required"),
      .query("split", Document.choices(DatasetSelection.Split.self), "the part of it; default train"),
      .query(
        "k", .integerSchema(Self.neighboursRange),
        "neighbours of each image; default \(Self.neighboursDefault)"),
    ]
    let types = ImageContent.imageTypes.map(\.string) + ["multipart/form-data"]
    let problems = [404, 409, 507]
    return [
      Endpoint(
        method: .post, pattern: "/jobs/{id}/embed",
        operation: .init(
          "What a training's encoder says of an image, or of each of up to \(Self.embedPartsMax) images of a "
            + "form. Images are scaled and cropped to the encoder's image_size.",
          parameters + [
            .header("Accept", ["type": "string"], "\(NumPyHeader.mediaType): float32 [n, dimension]")
          ], body: (["type": "string"], true), bodyTypes: types,
          answers: [
            .init(
              status: 200,
              content: [
                "application/json": Document.schema("Embeddings"),
                ByteString(NumPyHeader.mediaType): ["type": "string"],
              ], fields: [:])
          ], problems: problems), weight: .heavy, bodyLimit: embedLimit, sink: embedSink,
        handler: embedImages),
      Endpoint(
        method: .post, pattern: "/jobs/{id}/neighbours",
        operation: .init(
          "The images of a dataset that are most similar to an image, or to each image of a form, by the "
            + "cosine of their features. The dataset's features are computed once and kept; until they are "
            + "there, the answer is waited for, and after \(Self.bankSeconds) s it is 503.",
          parameters + search, body: (["type": "string"], true), bodyTypes: types,
          answers: [.json(200, Document.schema("Neighbours"))], problems: problems), weight: .heavy,
        bodyLimit: embedLimit, sink: neighboursSink, handler: findNeighbours),
    ]
  }
}

extension OpenAPIDocument {
  /// The schemas of embeddings.
  static let embeddingSchemas: [ByteString: JSON] = [
    "Embeddings": described([
      "layer": about("Whose output describes an image.", choices(EvaluationLayer.self)),
      "dimension": about("Numbers that describe an image.", count),
      "embeddings": list(
        "Of each image, in the order of the request; null is a number that is not finite.",
        of: ["type": "array", "items": numberOrNull]),
    ]),
    "Neighbours": described(
      [
        "layer": about("Whose output describes an image.", choices(EvaluationLayer.self)),
        "dataset": about("Where neighbours were looked for.", text),
        "split": about("The part of it.", choices(DatasetSelection.Split.self)),
        "neighbours": neighbours,
        "images": list(
          "Of each image of a form, in the order of its parts.", of: described(["neighbours": neighbours])),
      ], optional: ["neighbours", "images"]),
  ]

  private static let neighbours = list(
    "Of the image of the request, the most similar first; of equally similar ones, the one that comes first.",
    of: described([
      "index": about("Its place in the split.", count),
      "label": about("Its class; null: it has none.", countOrNull),
      "class": about("The name of its class; null: it has none.", textOrNull),
      "similarity": about("The cosine of the angle between the features.", numberOrNull),
      "image": about("The path of the image as PNG.", text),
    ]))
}
