/// The named recipe from which a specification's unnamed fields come.
package enum Preset: String, Sendable, CaseIterable {
  /// VICReg on CIFAR-10 with a ResNet-18 in the stem that was published at 85.5 %.
  case seed
  /// What facebookresearch/vicreg does otherwise.
  case paper
  /// solo-learn's CIFAR script.
  case soloCIFAR = "solo-cifar"
  /// A narrow network that trains on a CPU in minutes.
  case small
  /// What learns most of Fashion-MNIST on two cores within an hour: `small`, but wider and longer.
  case fashionHour = "fashion-hour"

  /// Other methods with the network of `solo-cifar`: solo-learn's CIFAR scripts.
  case barlowCIFAR = "barlow-cifar"
  case simclrCIFAR = "simclr-cifar"
  case byolCIFAR = "byol-cifar"
  case simsiamCIFAR = "simsiam-cifar"
  /// LeJEPA's minimal example with the network of `solo-cifar`.
  case sigregCIFAR = "sigreg-cifar"
  /// The network of `solo-cifar` trained by labels: the ceiling that other methods are read against.
  case supervised

  /// The method of the recipe.
  var method: MethodName {
    switch self {
    case .seed, .paper, .soloCIFAR, .small, .fashionHour: .vicreg
    case .barlowCIFAR: .barlowTwins
    case .simclrCIFAR: .simclr
    case .byolCIFAR: .byol
    case .simsiamCIFAR: .simsiam
    case .sigregCIFAR: .sigreg
    case .supervised: .supervised
    }
  }

  /// Whether it is a recipe of our own for CPUs: other methods get their rates for CPUs with it, and new
  /// trainings hold images back to evaluate themselves. Published recipes train on all.
  var isForCPUs: Bool { self == .small || self == .fashionHour }

  /// What a specification without a preset gets: training on a CPU takes minutes, not days.
  package static let defaultValue = Preset.small

  /// The learning rate that the recipe means for a batch size; LARS recipes scale theirs by `batch/256`.
  package func learningRate(batchSize: Int) -> Double {
    switch self {
    case .seed: return 2e-4
    case .small: return 3e-3
    case .fashionHour: return 6e-3
    case .soloCIFAR, .barlowCIFAR, .simclrCIFAR, .byolCIFAR, .simsiamCIFAR, .sigregCIFAR, .supervised:
      return method.type.published.learningRate(batchSize: batchSize)
    case .paper:
      let base =
        switch batchSize {
        case ...128: 0.8
        case ...256: 0.5
        case ...512: 0.4
        default: 0.3
        }
      return base * Double(batchSize) / 256
    }
  }
}

extension TrainSpecification {
  /// The recipe as published, on Fashion-MNIST.
  package static func preset(_ preset: Preset) -> TrainSpecification {
    switch preset {
    case .seed: seed
    case .paper: paper
    case .soloCIFAR: soloCIFAR
    case .small: small
    case .fashionHour: fashionHour
    case .barlowCIFAR: barlowCIFAR
    case .simclrCIFAR: simclrCIFAR
    case .byolCIFAR: byolCIFAR
    case .simsiamCIFAR: simsiamCIFAR
    case .sigregCIFAR: sigregCIFAR
    case .supervised: supervised
    }
  }

  private static let seed = TrainSpecification()

  private static let paper: TrainSpecification = {
    var specification = TrainSpecification()
    specification.preset = .paper
    specification.projector = ProjectorSpecification(widths: [1024, 1024, 1024], lastBias: false)
    specification.loss.constants = VICReg(epsilon: 1e-4, variance: .mean, batchNorm: .perView)
    var augmentation = AugmentationRecipe()
    augmentation.blurProbability = [1, 0.1]
    augmentation.solarizeProbability = [0, 0.2]
    specification.augmentation = .random(augmentation)
    specification.optimizer.name = .lars
    specification.optimizer.learningRate = Preset.paper.learningRate(batchSize: specification.batchSize)
    specification.optimizer.excludeBiasAndNorm = true
    specification.schedule = ScheduleSpecification(name: .cosine, warmupEpochs: 10, finalFactor: 0.001)
    return specification
  }()

  private static let soloCIFAR: TrainSpecification = {
    var specification = TrainSpecification()
    specification.preset = .soloCIFAR
    specification.encoder.stemPadding = 2
    specification.encoder.stemBias = false
    specification.encoder.fc = nil
    specification.projector = ProjectorSpecification(widths: [2048, 2048, 2048], lastBias: true)
    specification.loss.constants = VICReg(epsilon: 1e-4)
    var augmentation = AugmentationRecipe()
    augmentation.blurProbability = [0, 0]
    augmentation.solarizeProbability = [0.1, 0.1]
    specification.augmentation = .random(augmentation)
    specification.optimizer.name = .lars
    specification.optimizer.learningRate = Preset.soloCIFAR.learningRate(batchSize: specification.batchSize)
    specification.optimizer.weightDecay = 1e-4
    specification.optimizer.trust = 0.02
    specification.optimizer.clip = true
    specification.optimizer.excludeBiasAndNorm = true
    specification.schedule = ScheduleSpecification(name: .cosine, warmupEpochs: 10, finalFactor: 0)
    specification.epochs = 1000
    specification.dropLast = true
    return specification
  }()

  private static let small: TrainSpecification = {
    var specification = TrainSpecification()
    specification.preset = .small
    specification.encoder.width = 16
    specification.encoder.stemPadding = 1
    specification.encoder.stemBias = false
    // The linear protocol has a fixed rate: it learns faster from many outputs than from the 128 pooled ones.
    specification.encoder.fc = 2048
    specification.projector = ProjectorSpecification(widths: [256, 256, 256], lastBias: true)
    // Grey images have no hue and saturation to change: brightness and contrast change the more.
    var augmentation = AugmentationRecipe()
    augmentation.jitterProbability = 0.9
    augmentation.brightness = 0.8
    augmentation.contrast = 0.8
    specification.augmentation = .random(augmentation)
    specification.batchSize = 64
    specification.optimizer.learningRate = Preset.small.learningRate(batchSize: specification.batchSize)
    specification.schedule = ScheduleSpecification(name: .cosine, warmupEpochs: 0.1, finalFactor: 0)
    specification.epochs = 4
    specification.checkpoint.everyEpochs = 1
    return specification
  }()

  private static let fashionHour: TrainSpecification = {
    var specification = small
    specification.preset = .fashionHour
    specification.encoder.width = 32
    specification.optimizer.learningRate = Preset.fashionHour.learningRate(batchSize: specification.batchSize)
    specification.epochs = 8
    return specification
  }()

  private static let barlowCIFAR = cifar(.barlowCIFAR, asymmetric)
  private static let simclrCIFAR = cifar(.simclrCIFAR, symmetric)
  private static let byolCIFAR = cifar(.byolCIFAR, asymmetric)
  private static let simsiamCIFAR = cifar(.simsiamCIFAR, symmetricWeak)
  private static let sigregCIFAR = cifar(.sigregCIFAR, symmetric)
  private static let supervised: TrainSpecification = {
    var augmentation = AugmentationRecipe()
    augmentation.cropPadding = 4
    augmentation.jitterProbability = 0
    augmentation.grayscaleProbability = 0
    augmentation.blurProbability = [0, 0]
    augmentation.solarizeProbability = [0, 0]
    var specification = cifar(.supervised, augmentation)
    specification.schedule.warmupEpochs = 0
    specification.epochs = 200
    return specification
  }()

  /// The network and the schedule of `solo-cifar` with the method of a preset.
  private static func cifar(_ preset: Preset, _ augmentation: AugmentationRecipe) -> TrainSpecification {
    var specification = soloCIFAR
    specification.adopt(preset.method)
    specification.preset = preset
    specification.augmentation = .random(augmentation)
    return specification
  }

  // solo-learn's augmentations for CIFAR, by their names there; crops of 0.08 to 1.

  private static let symmetric: AugmentationRecipe = {
    var recipe = AugmentationRecipe()
    recipe.cropScale = 0.08...1
    (recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue) = (0.8, 0.8, 0.8, 0.2)
    recipe.solarizeProbability = [0, 0]
    return recipe
  }()

  private static let symmetricWeak: AugmentationRecipe = {
    var recipe = symmetric
    (recipe.brightness, recipe.contrast, recipe.saturation, recipe.hue) = (0.4, 0.4, 0.4, 0.1)
    return recipe
  }()

  private static let asymmetric: AugmentationRecipe = {
    var recipe = AugmentationRecipe()
    recipe.cropScale = 0.08...1
    recipe.blurProbability = [0, 0]
    recipe.solarizeProbability = [0, 0.2]
    return recipe
  }()
}
