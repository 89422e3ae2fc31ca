import Recipe

/// The network of a training and what it minimises.
package struct ModelConfiguration: Sendable {
  package var encoder: EncoderSpecification
  /// Used by methods with a projector.
  package var projector: ProjectorSpecification
  /// Used by methods with a predictor.
  package var predictor: ProjectorSpecification
  package var method: any Method
  /// Global views of each image, as many as the method can take.
  package var views: Int
  /// Smaller views of each image in addition, for methods that take them.
  package var localViews: LocalViews?
  /// Classes of the labels, for methods that need labels.
  package var classes: Int
  /// Of random numbers that the objective draws.
  package var seed: UInt64

  /// Two views, or one where the method takes no more.
  package init(
    encoder: EncoderSpecification, projector: ProjectorSpecification = ProjectorSpecification(),
    predictor: ProjectorSpecification = ProjectorSpecification(), method: any Method, views: Int? = nil,
    localViews: LocalViews? = nil, classes: Int = 0, seed: UInt64 = 0
  ) {
    self.encoder = encoder
    self.projector = projector
    self.predictor = predictor
    self.method = method
    self.views = views ?? min(2, type(of: method).views.upperBound)
    self.localViews = localViews
    self.classes = classes
    self.seed = seed
  }

  /// Numbers of an embedding: of the projector, or of the encoder's features without one.
  package var embeddingCount: Int {
    (type(of: method).hasProjector ? projector.widths.last : nil) ?? encoder.featureCount
  }

  /// Parts of a batch of so many views of one size that a BatchNorm normalises on its own.
  func normalizedParts(of views: Int) -> Int { method.batchNorm == .perView ? views : 1 }
}

extension ModelConfiguration {
  /// The network and the method that a specification describes.
  ///
  /// - Parameter classes: of the dataset.
  package init(_ specification: TrainSpecification, classes: Int) {
    self.init(
      encoder: specification.encoder, projector: specification.projector,
      predictor: specification.predictor ?? ProjectorSpecification(),
      method: specification.loss.configured, views: specification.views,
      localViews: specification.localViews, classes: classes, seed: specification.seed)
  }
}
