import JSONText
import JobStore
import Text

// What datasets look like in requests and answers.

extension OpenAPIDocument {
  /// The schemas of datasets.
  static let datasetSchemas: [ByteString: JSON] = [
    "DatasetImport": API.importSchema,
    "DatasetList": described([
      "datasets": list("What can be trained on by name; imported ones last.", of: listed)
    ]),
    "Dataset": described(properties),
    "ImportResult": [
      "type": "object", "required": ["digest", "bytes", "counts", "skipped_count"],
      "description": "What an import made, as the dataset shows it.",
    ],
  ]

  private static let listed = described(
    properties.merging([
      "available": about("Whether it can be used.", ["type": "boolean"]),
      "problem": about("Why it cannot be used; null: it can.", textOrNull),
    ]) { $1 },
    optional: [
      "bytes", "channels", "class_counts", "created_at", "digest", "job", "mean", "message", "skipped",
      "skipped_count", "std",
    ])

  private static let properties: [ByteString: JSON] = [
    "name": about("As specifications name it.", text),
    "state": about("Whether it can be used.", choices(DatasetState.self)),
    "job": about(
      "The import job; null: it was deleted, or the dataset is built in.", nullable(object("JobID"))),
    "message": about("Why it has failed, for people; null: it has not.", textOrNull),
    "classes": about(
      "The names of the classes, in the order of their labels; null: it is unlabelled, or not imported yet.",
      ["type": ["array", "null"], "items": text]),
    "counts": about(
      "Images of each split; null: not known yet.",
      ["type": ["object", "null"], "additionalProperties": count]),
    "class_counts": about(
      "Of each split, the images of each class; null: it is unlabelled, or that is not known.",
      [
        "type": ["object", "null"],
        "additionalProperties": ["type": "object", "additionalProperties": count],
      ]),
    "shape": about(
      "Channels, height and width of a view; height and width in pixels; null: not known yet.",
      ["type": ["array", "null"], "items": count]),
    "channels": about("Channels of a stored image: 1 (grey) or 3; null: not known yet.", countOrNull),
    "mean": about(
      "Of each channel of the training split; pixels are from 0 to 1; null: not known yet.",
      ["type": ["array", "null"], "items": number]),
    "std": about(
      "Standard deviation of each channel of the training split; pixels are from 0 to 1.",
      ["type": ["array", "null"], "items": number]),
    "digest": about(
      "SHA-256 of all images and labels; a job fails if it is not that of its first start.", textOrNull),
    "bytes": about("Bytes of its files; null: not known.", countOrNull),
    "skipped": list(
      "The first files that the import has left out; the artifact `skipped.json` of its job lists more.",
      of: described([
        "path": about("The file's path in the archive or folder.", text),
        "reason": about("Why it was left out.", text),
      ])),
    "skipped_count": about("Files that the import has left out.", count),
    "source": about("What it was imported from.", text),
    "created_at": about("When its import was queued; null: it is built in.", timeOrNull),
  ]
}
