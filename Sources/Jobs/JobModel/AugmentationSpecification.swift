/// How the two views of an image are made; operations in the order of the fields.
package enum AugmentationSpecification: Sendable, Equatable {
  /// View one is the normalised image, view two its mirror image: no randomness.
  case mirror
  case random(AugmentationRecipe)
}

/// Probabilities and ranges of each operation; `asymmetric` fields hold one value per view.
package struct AugmentationRecipe: Sendable, Equatable {
  /// Area of the crop as a share of the image, `[low, high]` within (0, 1].
  package var cropScale: [Double]
  /// Aspect ratio of the crop, `[low, high]`.
  package var cropRatio: [Double]
  /// Antialiased (triangle-filtered) resize, as torchvision does today.
  package var antialias: Bool
  package var flipProbability: Double
  package var jitterProbability: Double
  package var brightness: Double
  package var contrast: Double
  package var saturation: Double
  package var hue: Double
  package var grayscaleProbability: Double
  /// Blur probability of view one and of view two.
  package var blurProbability: [Double]
  /// Odd side of the Gaussian kernel in pixels.
  package var blurKernel: Int
  package var blurSigma: [Double]
  /// Solarize probability of view one and of view two.
  package var solarizeProbability: [Double]
  package var solarizeThreshold: Double

  package init(
    cropScale: [Double], cropRatio: [Double], antialias: Bool, flipProbability: Double,
    jitterProbability: Double, brightness: Double, contrast: Double, saturation: Double, hue: Double,
    grayscaleProbability: Double, blurProbability: [Double], blurKernel: Int, blurSigma: [Double],
    solarizeProbability: [Double], solarizeThreshold: Double
  ) {
    self.cropScale = cropScale
    self.cropRatio = cropRatio
    self.antialias = antialias
    self.flipProbability = flipProbability
    self.jitterProbability = jitterProbability
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
    self.hue = hue
    self.grayscaleProbability = grayscaleProbability
    self.blurProbability = blurProbability
    self.blurKernel = blurKernel
    self.blurSigma = blurSigma
    self.solarizeProbability = solarizeProbability
    self.solarizeThreshold = solarizeThreshold
  }
}
