import HTTP
import JSONText
import JobStore
import Platform
import Recipe
import Text

extension ModelRecord {
  /// Of a model, which never changes.
  var entityTag: EntityTag { EntityTag(id.text) }

  /// The model as clients see it.
  var json: JSON {
    let encoder = description.encoder
    let isCIFAR = encoder.stem == .cifar
    return [
      "name": .string(name), "arch": .string(encoder.architecture.rawValue),
      "stem": .string(encoder.stem.rawValue), "width": .integer(encoder.width),
      "stem_padding": isCIFAR ? .integer(encoder.stemPadding) : .null,
      "stem_bias": isCIFAR ? .bool(encoder.stemBias) : .null, "fc": .optional(encoder.fc),
      "image_size": .optional(description.imageSize), "parameters": .integer(parameterCount),
      "digest": .string(digest), "bytes": .integer(bytes),
      "created_at": .string(SystemClock.rfc3339(unixMilliseconds: createdAtMilliseconds)),
    ]
  }
}

// What models look like in answers.

extension OpenAPIDocument {
  /// The schemas of models.
  static let modelSchemas: [ByteString: JSON] = [
    "ModelList": described(["models": list("The models, the oldest first.", of: schema("Model"))]),
    "Model": described([
      "name": about("As specifications name it.", text),
      "arch": about("Its architecture.", choices(EncoderSpecification.Architecture.self)),
      "stem": about("Its stem.", choices(EncoderSpecification.Stem.self)),
      "width": about("Channels of its first stage.", count),
      "stem_padding": about(
        "Zero padding in pixels of a cifar stem's convolution; null: its stem is imagenet.", countOrNull),
      "stem_bias": about(
        "Whether a cifar stem's convolution has a bias; null: its stem is imagenet.",
        ["type": ["boolean", "null"]]),
      "fc": about("Outputs of its final Linear; null: it has none.", countOrNull),
      "image_size": about(
        "Side in pixels of the images that it was made for; null: that of each dataset.", countOrNull),
      "parameters": about("Numbers that training changes; running statistics are not among them.", count),
      "digest": about("SHA-256 of its file, in hexadecimal digits.", text),
      "bytes": about("Bytes of its file.", count),
      "created_at": about("When it was uploaded.", time),
    ]),
  ]
}
