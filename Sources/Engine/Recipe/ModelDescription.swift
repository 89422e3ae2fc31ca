import JSONText

/// What is known of an uploaded model: its network, and the images that it was made for.
package struct ModelDescription: JSONRecord, Hashable {
  /// The network whose weights it has.
  package var encoder: EncoderSpecification
  /// Side in pixels of the images that it was made for; `nil`: that of each dataset.
  package var imageSize: Int?

  package init(encoder: EncoderSpecification, imageSize: Int? = nil) {
    self.encoder = encoder
    self.imageSize = imageSize
  }

  package static let fields = Fields<Self> {
    Field("encoder", \.encoder, .record, "The network whose weights it has.")
    Field(
      "image_size", \.imageSize, .integerOrNull(TrainSpecification.imageSizeRange),
      "Side in pixels of the images that it was made for; null: that of each dataset.")
  }

  /// Reads the JSON form; `nil`: a member is missing or wrong.
  package init?(json: JSON) {
    let problems = ProblemList()
    let reader = ObjectReader(json, at: "", problems)
    self.init(encoder: EncoderSpecification())
    read(reader)
    reader.finish()
    if problems.total > 0 { return nil }
  }

  /// A training that could have made it. What is planned, computed or evaluated with the checkpoint of a
  /// training is so with a model by this one. It has no projector.
  package var training: TrainSpecification {
    var training = TrainSpecification()
    training.adopt(.supervised)
    training.encoder = encoder
    training.imageSize = imageSize
    return training
  }
}

/// What an upload says of its model; `nil`: it leaves that to the file.
package struct ModelClaims: Sendable, Equatable {
  package var architecture: EncoderSpecification.Architecture?
  package var stem: EncoderSpecification.Stem?
  package var width: Int?
  /// Zero padding of a `cifar` stem's convolution, which no tensor tells.
  package var stemPadding: Int?
  /// Side in pixels of the images that the model was made for.
  package var imageSize: Int?

  package init(
    architecture: EncoderSpecification.Architecture? = nil, stem: EncoderSpecification.Stem? = nil,
    width: Int? = nil, stemPadding: Int? = nil, imageSize: Int? = nil
  ) {
    self.architecture = architecture
    self.stem = stem
    self.width = width
    self.stemPadding = stemPadding
    self.imageSize = imageSize
  }
}

/// What a check of a model's file has found.
package struct ModelFinding: Sendable, Equatable {
  package let description: ModelDescription
  /// Numbers that training changes, as PyTorch counts them: running statistics are not among them.
  package let parameterCount: Int

  package init(description: ModelDescription, parameterCount: Int) {
    self.description = description
    self.parameterCount = parameterCount
  }
}
