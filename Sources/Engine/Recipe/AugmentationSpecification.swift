import JSONText

/// How the two views of an image are made; operations in the order of the fields.
package enum AugmentationSpecification: Sendable, Equatable {
  /// View one is the normalised image, view two its mirror image: no randomness.
  case mirror
  case random(AugmentationRecipe)
}

extension Form where Value == AugmentationSpecification {
  /// The word `mirror`, or an object of operations.
  static var augmentation: Form {
    Form(
      schema: { defaultValue in
        var recipe: AugmentationRecipe?
        if case .random(let given)? = defaultValue { recipe = given }
        return ["anyOf": [["const": "mirror"], AugmentationRecipe.fields.schema(defaults: recipe)]]
      },
      read: { value, key, reader, augmentation in
        if value == "mirror" {
          augmentation = .mirror
        } else if value.object == nil {
          reader.refuse(key, "must be \"mirror\" or an object")
        } else {
          var recipe = AugmentationRecipe()
          if case .random(let given) = augmentation { recipe = given }
          recipe.read(value, key, reader)
          augmentation = .random(recipe)
        }
      },
      json: { augmentation in
        switch augmentation {
        case .mirror: "mirror"
        case .random(let recipe): recipe.json
        }
      },
      write: { augmentation, bytes in
        switch augmentation {
        case .mirror: JSON.string("mirror").write(to: &bytes)
        case .random(let recipe): AugmentationRecipe.fields.write(recipe, to: &bytes)
        }
      })
  }
}

/// Probabilities and ranges of each operation; `asymmetric` fields hold one value per view. Semantics as in
/// torchvision's transforms on float tensors in [0, 1].
package struct AugmentationRecipe: JSONRecord, Equatable {
  /// Area of the crop as a share of the image, within (0, 1].
  package var cropScale = 0.2...1
  /// Aspect ratio (width / height) of the crop.
  package var cropRatio = 3.0 / 4...4.0 / 3
  /// Pixels of black around the image, of which a crop of the image's size is taken, as torchvision's
  /// `RandomCrop` does; `nil`: resized crops as above.
  package var cropPadding: Int?
  /// Triangle-filtered resize, as torchvision's default is today; false samples bilinearly.
  package var antialias = false
  package var flipProbability = 0.5
  /// Probability of the four colour changes together.
  package var jitterProbability = 0.8
  /// Factor uniform in `max(0, 1 − brightness) … 1 + brightness`; 0 leaves the operation out. So the next
  /// two.
  package var brightness = 0.4
  package var contrast = 0.4
  package var saturation = 0.2
  /// Shift uniform in `−hue … hue` of a full turn, at most 0.5; 0 leaves the operation out.
  package var hue = 0.1
  package var grayscaleProbability = 0.2
  /// Blur probability of view one and of view two.
  package var blurProbability = [0.5, 0.5]
  /// Odd side of the Gaussian kernel in pixels.
  package var blurKernel = 3
  /// Standard deviation of the Gaussian in pixels, uniform.
  package var blurSigma = 0.1...2
  /// Solarize probability of view one and of view two.
  package var solarizeProbability = [0.2, 0.2]
  /// Values from here on are inverted.
  package var solarizeThreshold = 0.5

  /// Both views of the `seed` recipe.
  package init() {}

  package static let fields = Fields<Self> {
    Field("crop_scale", \.cropScale, .interval(.positive(1)), "Area of the crop as a share of the image.")
    Field("crop_ratio", \.cropRatio, .interval(.positive(100)), "Aspect ratio of the crop, width by height.")
    Field(
      "crop_padding", \.cropPadding, .integerOrNull(0...64),
      "Instead of a resized crop: one of the image's size, in pixels of black around it; null: resized crops."
    )
    Field(
      "antialias", \.antialias, .boolean,
      "Whether the crop is resized with antialiasing, as torchvision does today.")
    Field(
      "flip_probability", \.flipProbability, .number(.fraction), "Probability of a horizontal flip.")
    Field(
      "jitter_probability", \.jitterProbability, .number(.fraction),
      "Probability that brightness, contrast, saturation and hue are changed.")
    Field(
      "brightness", \.brightness, .number(.closed(0, 10)), "Largest relative change of the brightness.")
    Field("contrast", \.contrast, .number(.closed(0, 10)), "Largest relative change of the contrast.")
    Field(
      "saturation", \.saturation, .number(.closed(0, 10)), "Largest relative change of the saturation.")
    Field(
      "hue", \.hue, .number(.closed(0, 0.5)), "Largest change of the hue, in turns of the colour circle.")
    Field(
      "grayscale_probability", \.grayscaleProbability, .number(.fraction),
      "Probability that all colour is removed.")
    Field(
      "blur_probability", \.blurProbability, .perView(.fraction), "Probability of a Gaussian blur.")
    Field("blur_kernel", \.blurKernel, .odd(1...31), "Side of the kernel of the blur, in pixels; odd.")
    Field(
      "blur_sigma", \.blurSigma, .interval(.positive(100)), "Standard deviation of the blur, in pixels.")
    Field(
      "solarize_probability", \.solarizeProbability, .perView(.fraction),
      "Probability that values from the threshold on are inverted.")
    Field(
      "solarize_threshold", \.solarizeThreshold, .number(.fraction),
      "Threshold of the solarisation; 0 is black, 1 is white.")
  }
}
