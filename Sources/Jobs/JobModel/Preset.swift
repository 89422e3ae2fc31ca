import JSONText

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

  /// What a specification without a preset gets: training on a CPU takes minutes, not days.
  package static let defaultValue = Preset.small

  /// The `preset` of a specification, as a JSON Schema.
  static var schema: JSON {
    ["enum": .array(allCases.map { .string($0.rawValue) }), "default": .string(defaultValue.rawValue)]
  }

  /// The learning rate that the recipe means for a batch size; LARS recipes scale theirs by `batch/256`.
  package func learningRate(batchSize: Int) -> Double {
    switch self {
    case .seed: return 2e-4
    case .small: return 3e-3
    case .soloCIFAR: return 0.3 * Double(batchSize) / 256
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
    }
  }

  private static var seed: TrainSpecification {
    TrainSpecification(
      preset: .seed,
      dataset: DatasetSelection(name: "fashion-mnist", split: .train),
      encoder: EncoderSpecification(
        architecture: .resnet18, width: 64, stemPadding: 0, stemBias: true, fc: 512),
      convolution: .auto,
      projector: ProjectorSpecification(widths: [1024, 1024, 1024, 1024], lastBias: true),
      loss: LossSpecification(
        inv: 25, var: 25, cov: 1, gamma: 1, epsilon: 0, variance: .sum, batchNorm: .concatenated),
      augmentation: .random(seedAugmentation),
      optimizer: OptimizerSpecification(
        name: .adam, learningRate: Preset.seed.learningRate(batchSize: 256), betas: [0.9, 0.999],
        epsilon: 1e-8, weightDecay: 1e-6, momentum: 0.9, trust: 0.001, clip: false,
        excludeBiasAndNorm: false),
      schedule: ScheduleSpecification(name: .constant, warmupEpochs: 0, finalFactor: 0),
      epochs: 500, batchSize: 256, shuffle: true, dropLast: false, seed: 0,
      checkpoint: CheckpointPolicy(everyEpochs: 10, initial: false, keepLast: 3), logEverySteps: 10)
  }

  private static var seedAugmentation: AugmentationRecipe {
    AugmentationRecipe(
      cropScale: [0.2, 1], cropRatio: [3.0 / 4, 4.0 / 3], antialias: false, flipProbability: 0.5,
      jitterProbability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1,
      grayscaleProbability: 0.2, blurProbability: [0.5, 0.5], blurKernel: 3, blurSigma: [0.1, 2],
      solarizeProbability: [0.2, 0.2], solarizeThreshold: 0.5)
  }

  private static var paper: TrainSpecification {
    var specification = seed
    specification.preset = .paper
    specification.projector = ProjectorSpecification(widths: [1024, 1024, 1024], lastBias: false)
    specification.loss.epsilon = 1e-4
    specification.loss.variance = .mean
    specification.loss.batchNorm = .perView
    var augmentation = seedAugmentation
    augmentation.blurProbability = [1, 0.1]
    augmentation.solarizeProbability = [0, 0.2]
    specification.augmentation = .random(augmentation)
    specification.optimizer.name = .lars
    specification.optimizer.learningRate = Preset.paper.learningRate(batchSize: specification.batchSize)
    specification.optimizer.excludeBiasAndNorm = true
    specification.schedule = ScheduleSpecification(name: .cosine, warmupEpochs: 10, finalFactor: 0.001)
    return specification
  }

  private static var soloCIFAR: TrainSpecification {
    var specification = seed
    specification.preset = .soloCIFAR
    specification.encoder.stemPadding = 2
    specification.encoder.stemBias = false
    specification.encoder.fc = nil
    specification.projector = ProjectorSpecification(widths: [2048, 2048, 2048], lastBias: true)
    specification.loss.epsilon = 1e-4
    var augmentation = seedAugmentation
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
  }

  private static var small: TrainSpecification {
    var specification = seed
    specification.preset = .small
    specification.encoder.width = 16
    specification.encoder.stemPadding = 1
    specification.encoder.stemBias = false
    // The linear protocol has a fixed rate: it learns faster from many outputs than from the 128 pooled ones.
    specification.encoder.fc = 2048
    specification.projector = ProjectorSpecification(widths: [256, 256, 256], lastBias: true)
    // Grey images have no hue and saturation to change: brightness and contrast change the more.
    var augmentation = seedAugmentation
    augmentation.jitterProbability = 0.9
    augmentation.brightness = 0.8
    augmentation.contrast = 0.8
    specification.augmentation = .random(augmentation)
    specification.batchSize = 64
    specification.optimizer.learningRate = Preset.small.learningRate(batchSize: specification.batchSize)
    specification.schedule = ScheduleSpecification(name: .cosine, warmupEpochs: 0.1, finalFactor: 0)
    specification.epochs = 5
    specification.checkpoint.everyEpochs = 1
    return specification
  }
}
