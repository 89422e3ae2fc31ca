/// How one random view of an image is made: probabilities and ranges of the operations, in the order of the
/// fields. Semantics as in torchvision's transforms on float tensors in [0, 1].
package struct ViewRecipe: Sendable, Equatable {
  /// Area of the crop as a share of the image, within (0, 1].
  package var cropScale: ClosedRange<Double>
  /// Aspect ratio (width / height) of the crop.
  package var cropRatio: ClosedRange<Double>
  /// Triangle-filtered resize, as torchvision's default is today; false samples bilinearly.
  package var antialias: Bool
  package var flipProbability: Double
  /// Probability of the four colour changes together.
  package var jitterProbability: Double
  /// Factor uniform in `max(0, 1 − brightness) … 1 + brightness`; 0 leaves the operation out. So the next
  /// two.
  package var brightness: Double
  package var contrast: Double
  package var saturation: Double
  /// Shift uniform in `−hue … hue` of a full turn, at most 0.5; 0 leaves the operation out.
  package var hue: Double
  package var grayscaleProbability: Double
  package var blurProbability: Double
  /// Odd side of the Gaussian kernel in pixels.
  package var blurKernel: Int
  /// Standard deviation of the Gaussian in pixels, uniform.
  package var blurSigma: ClosedRange<Double>
  package var solarizeProbability: Double
  /// Values from here on are inverted.
  package var solarizeThreshold: Double

  package init(
    cropScale: ClosedRange<Double>, cropRatio: ClosedRange<Double>, antialias: Bool, flipProbability: Double,
    jitterProbability: Double, brightness: Double, contrast: Double, saturation: Double, hue: Double,
    grayscaleProbability: Double, blurProbability: Double, blurKernel: Int, blurSigma: ClosedRange<Double>,
    solarizeProbability: Double, solarizeThreshold: Double
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

  /// Both views of the `seed` recipe (recipes.md).
  package static let seed = ViewRecipe(
    cropScale: 0.2...1, cropRatio: 3 / 4...4 / 3, antialias: false, flipProbability: 0.5,
    jitterProbability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1,
    grayscaleProbability: 0.2, blurProbability: 0.5, blurKernel: 3, blurSigma: 0.1...2,
    solarizeProbability: 0.2, solarizeThreshold: 0.5)

  /// Crop and flip only: the training images of a linear evaluation.
  package static func cropAndFlip(
    cropScale: ClosedRange<Double> = 0.2...1, cropRatio: ClosedRange<Double> = 3 / 4...4 / 3,
    antialias: Bool = false
  ) -> ViewRecipe {
    ViewRecipe(
      cropScale: cropScale, cropRatio: cropRatio, antialias: antialias, flipProbability: 0.5,
      jitterProbability: 0, brightness: 0, contrast: 0, saturation: 0, hue: 0, grayscaleProbability: 0,
      blurProbability: 0, blurKernel: 3, blurSigma: 0.1...2, solarizeProbability: 0, solarizeThreshold: 0.5)
  }
}

/// One way of making a view of an image; a pipeline has one of these a view.
package enum ViewMaker: Sendable, Equatable {
  /// The image as it is.
  case plain
  /// The image, left and right exchanged.
  case mirrored
  case random(ViewRecipe)
}

/// What determines the random numbers of a view; neither thread nor order of calls do.
package struct ViewKey: Sendable, Hashable {
  package let seed: UInt64
  package let epoch: Int
  /// Position of the image in its dataset.
  package let sample: Int
  /// 0 or 1 in training.
  package let view: Int

  package init(seed: UInt64, epoch: Int, sample: Int, view: Int) {
    self.seed = seed
    self.epoch = epoch
    self.sample = sample
    self.view = view
  }
}
