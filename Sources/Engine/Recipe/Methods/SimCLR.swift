import JSONText

/// NT-Xent: each row of the two views must find its other view among all rows.
///
/// Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations" (ICML 2020).
package struct SimCLR: MethodSpecification, Equatable {
  package static let name = MethodName("simclr")
  package static let views = 2...2
  package static let figures = [
    Metric(
      "positive_similarity", "Positive similarity", "Mean cosine of the two views of an image.",
      best: .highest),
    Metric(
      "contrast_top1", "Contrast accuracy", "Share of views whose nearest view is of the same image.",
      best: .highest),
  ]
  package static let hasProjector = true
  package static let hasPredictor = false

  /// T: cosines are divided by it.
  package var temperature: Double
  package var batchNorm: BatchNormScope

  /// The default values are those of solo-learn's CIFAR script.
  package init(temperature: Double = 0.2, batchNorm: BatchNormScope = .perView) {
    self.temperature = temperature
    self.batchNorm = batchNorm
  }

  package static let standard = Self()
  package static let published = MethodRecipe(
    constants: SimCLR(), projector: ProjectorSpecification(widths: [2048, 256]),
    optimizer: .publishedLARS(0.4, weightDecay: 1e-4), referenceBatch: 256)
  package static let small = MethodRecipe.narrow(
    SimCLR(), projector: ProjectorSpecification(widths: [256, 128]))

  package static let fields = Fields<Self> {
    Field("temperature", \.temperature, .number(.closed(0.01, 10)), "Cosines are divided by it.")
    Field("batch_norm", \.batchNorm, .choice, batchNormMeaning)
  }
}

extension MethodName {
  /// `simclr`.
  package static let simclr = SimCLR.name
}
