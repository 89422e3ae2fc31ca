import Recipe

/// One way of making a view of an image; a pipeline has one of these per view.
package enum ViewMaker: Sendable, Equatable {
  /// The image, unchanged.
  case plain
  /// The image, left and right exchanged.
  case mirrored
  /// By a recipe, of whose fields with one value per view the one of that number counts.
  case random(AugmentationRecipe, branch: Int = 0)
}

extension AugmentationSpecification {
  /// How each of `count` views is made: those of even number as view one, the others as view two.
  package func views(_ count: Int = 2) -> [ViewMaker] {
    (0..<count).map { view in
      switch self {
      case .mirror: view.isMultiple(of: 2) ? .plain : .mirrored
      case .random(let recipe): .random(recipe, branch: view % 2)
      }
    }
  }
}

extension AugmentationRecipe {
  /// Both views of the `seed` recipe (recipes.md).
  package static let seed = AugmentationRecipe()

  /// Crop and flip only: the training images of a linear evaluation.
  package static func cropAndFlip(antialias: Bool = false) -> AugmentationRecipe {
    var recipe = AugmentationRecipe()
    recipe.antialias = antialias
    recipe.jitterProbability = 0
    recipe.grayscaleProbability = 0
    recipe.blurProbability = [0, 0]
    recipe.solarizeProbability = [0, 0]
    return recipe
  }
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
