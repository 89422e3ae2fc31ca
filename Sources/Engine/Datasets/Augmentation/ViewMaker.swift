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

/// Views of one size.
package struct ViewGroup: Sendable, Equatable {
  /// One maker per view.
  package var makers: [ViewMaker]
  /// Side in pixels.
  package var side: Int

  /// Names both.
  package init(_ makers: [ViewMaker], side: Int) {
    self.makers = makers
    self.side = side
  }

  /// Floats of one view.
  package var viewSize: Int { 3 * side * side }

  /// The widest blur of any view, in pixels; 1 without one.
  var blurKernel: Int {
    let kernels = makers.map { maker in
      if case .random(let recipe, let branch) = maker, recipe.blurProbability[branch] > 0 {
        recipe.blurKernel
      } else {
        1
      }
    }
    return kernels.max() ?? 1
  }
}

extension TrainSpecification {
  /// The views of each image, out of images of that side: the global ones, then the local ones.
  package func viewGroups(storedSide: Int) -> [ViewGroup] {
    let globals = ViewGroup(augmentation.views(views), side: viewSide(storedSide: storedSide))
    guard let localViews else { return [globals] }
    return [globals, ViewGroup(augmentation.localViews(localViews), side: localViews.size)]
  }
}

extension AugmentationSpecification {
  /// How each local view is made: as the global views are, but for the area of the crop. Without randomness
  /// it is the whole image at the smaller size, and its mirror image, in turns.
  package func localViews(_ local: LocalViews) -> [ViewMaker] {
    guard case .random(var recipe) = self else { return views(local.count) }
    recipe.cropScale = local.cropScale
    recipe.cropPadding = nil
    return AugmentationSpecification.random(recipe).views(local.count)
  }

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
  /// The number of the view, those of all groups counted on: with two global views the first local one is 2.
  package let view: Int

  package init(seed: UInt64, epoch: Int, sample: Int, view: Int) {
    self.seed = seed
    self.epoch = epoch
    self.sample = sample
    self.view = view
  }
}
