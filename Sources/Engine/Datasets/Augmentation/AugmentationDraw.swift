import Platform
import Recipe
import Tensors

/// The random parameters of one view, drawn; applying them is deterministic.
package struct AugmentationDraw: Sendable, Equatable {
  /// A rectangle of pixels inside an image.
  package struct Box: Sendable, Equatable {
    package var top: Int
    package var left: Int
    package var height: Int
    package var width: Int

    package init(top: Int, left: Int, height: Int, width: Int) {
      self.top = top
      self.left = left
      self.height = height
      self.width = width
    }
  }

  /// A colour change; `ColorDraw.order` lists them by raw value.
  package enum ColorOperation: UInt8, Sendable, CaseIterable {
    case brightness, contrast, saturation, hue
  }

  /// Factors of the colour changes, and their order; an operation without a value is left out.
  package struct ColorDraw: Sendable, Equatable {
    /// The four raw values of `ColorOperation`, first one first.
    package var order: SIMD4<UInt8>
    package var brightness: Float?
    package var contrast: Float?
    package var saturation: Float?
    package var hue: Float?

    package init(
      order: SIMD4<UInt8>, brightness: Float? = nil, contrast: Float? = nil, saturation: Float? = nil,
      hue: Float? = nil
    ) {
      self.order = order
      self.brightness = brightness
      self.contrast = contrast
      self.saturation = saturation
      self.hue = hue
    }
  }

  /// A move of the image over black: row and column of the result's first pixel.
  package struct Shift: Sendable, Equatable {
    package var rows: Int
    package var columns: Int

    package init(rows: Int, columns: Int) {
      self.rows = rows
      self.columns = columns
    }
  }

  package var crop: Box
  /// How the cropped and resized image is moved, before it is flipped; `nil`: not at all.
  package var shift: Shift?
  package var flips: Bool
  package var color: ColorDraw?
  package var isGray: Bool
  /// Standard deviation of the blur; `nil`: none.
  package var blurSigma: Float?
  package var solarizes: Bool

  package init(
    crop: Box, shift: Shift? = nil, flips: Bool = false, color: ColorDraw? = nil, isGray: Bool = false,
    blurSigma: Float? = nil, solarizes: Bool = false
  ) {
    self.crop = crop
    self.shift = shift
    self.flips = flips
    self.color = color
    self.isGray = isGray
    self.blurSigma = blurSigma
    self.solarizes = solarizes
  }

  /// Draws the parameters of the view that `key` names, for an image of `height` × `width` pixels. Of the
  /// recipe's fields with one value per view, that of `branch` counts.
  package init(recipe: AugmentationRecipe, branch: Int = 0, height: Int, width: Int, key: ViewKey) {
    var random = CounterRandom(
      seed: key.seed, RandomPurpose.view.rawValue, UInt64(key.epoch), UInt64(key.sample), UInt64(key.view))
    if let padding = recipe.cropPadding {
      // torchvision's RandomCrop.get_params.
      crop = Box(top: 0, left: 0, height: height, width: width)
      shift = Shift(
        rows: random.below(2 * padding + 1) - padding, columns: random.below(2 * padding + 1) - padding)
    } else {
      crop = Self.crop(recipe, height, width, &random)
      shift = nil
    }
    flips = random.isTrue(recipe.flipProbability)
    color = random.isTrue(recipe.jitterProbability) ? Self.color(recipe, &random) : nil
    isGray = random.isTrue(recipe.grayscaleProbability)
    if random.isTrue(recipe.blurProbability[branch]) {
      blurSigma = Float(random.uniform(recipe.blurSigma))
    } else {
      blurSigma = nil
    }
    solarizes = random.isTrue(recipe.solarizeProbability[branch])
  }

  /// torchvision's `RandomResizedCrop.get_params`: ten tries, then the largest central crop of an allowed
  /// ratio.
  private static func crop(
    _ recipe: AugmentationRecipe, _ height: Int, _ width: Int, _ random: inout CounterRandom
  ) -> Box {
    let area = Double(height * width)
    let low = Mathematics.logarithm(recipe.cropRatio.lowerBound)
    let high = Mathematics.logarithm(recipe.cropRatio.upperBound)
    for _ in 0..<10 {
      let target = area * random.uniform(recipe.cropScale)
      let aspect = Mathematics.exponential(random.uniform(low...max(low, high)))
      let w = Int((target * aspect).squareRoot().rounded(.toNearestOrEven))
      let h = Int((target / aspect).squareRoot().rounded(.toNearestOrEven))
      if w > 0, w <= width, h > 0, h <= height {
        return Box(
          top: random.below(height - h + 1), left: random.below(width - w + 1), height: h, width: w)
      }
    }
    let ratio = Double(width) / Double(height)
    var (h, w) = (height, width)
    if ratio < recipe.cropRatio.lowerBound {
      h = Int((Double(w) / recipe.cropRatio.lowerBound).rounded(.toNearestOrEven))
    } else if ratio > recipe.cropRatio.upperBound {
      w = Int((Double(h) * recipe.cropRatio.upperBound).rounded(.toNearestOrEven))
    }
    return Box(top: (height - h) / 2, left: (width - w) / 2, height: h, width: w)
  }

  /// torchvision's `ColorJitter.get_params`.
  private static func color(_ recipe: AugmentationRecipe, _ random: inout CounterRandom) -> ColorDraw {
    var order = SIMD4<UInt8>(0, 1, 2, 3)
    for last in stride(from: 3, to: 0, by: -1) {
      let other = random.below(last + 1)
      (order[last], order[other]) = (order[other], order[last])
    }
    func factor(_ strength: Double) -> Float? {
      strength > 0 ? Float(random.uniform(max(0, 1 - strength)...(1 + strength))) : nil
    }
    let brightness = factor(recipe.brightness)
    let contrast = factor(recipe.contrast)
    let saturation = factor(recipe.saturation)
    let hue = recipe.hue > 0 ? Float(random.uniform(-recipe.hue...recipe.hue)) : nil
    return ColorDraw(
      order: order, brightness: brightness, contrast: contrast, saturation: saturation, hue: hue)
  }
}

extension CounterRandom {
  /// True with `probability`.
  fileprivate mutating func isTrue(_ probability: Double) -> Bool {
    Double(uniform()) < probability
  }

  /// A number in `range`, in steps of 2⁻⁵³ of its width.
  fileprivate mutating func uniform(_ range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * (Double(next() >> 11) * 0x1p-53)
  }
}
