import Datasets
import JobModel
import Kernels
import NeuralNet

// The words of a job's specification in those of the engine.

extension EncoderConfiguration {
  /// The encoder that a specification describes, for images of three channels.
  package init(_ specification: EncoderSpecification) {
    let architecture: Architecture =
      switch specification.architecture {
      case .resnet18: .resnet18
      case .resnet34: .resnet34
      }
    self.init(
      architecture: architecture, width: specification.width, inputChannels: 3,
      stemPadding: specification.stemPadding, stemBias: specification.stemBias, fc: specification.fc)
  }
}

extension ConvolutionChoice {
  /// The choice that a specification names.
  package init(_ mode: ConvolutionMode) {
    switch mode {
    case .direct: self = .direct
    case .auto: self = .automatic
    }
  }
}

extension ProjectorConfiguration {
  /// The projector that a specification describes.
  package init(_ specification: ProjectorSpecification) {
    self.init(widths: specification.widths, lastBias: specification.lastBias)
  }
}

extension VICReg {
  /// The loss that a specification describes.
  package init(_ specification: LossSpecification) {
    let variance: Variance =
      switch specification.variance {
      case .sum: .sum
      case .mean: .mean
      }
    let scope: BatchNormScope =
      switch specification.batchNorm {
      case .concatenated: .concatenated
      case .perView: .perView
      }
    self.init(
      inv: specification.inv, var: specification.var, cov: specification.cov, gamma: specification.gamma,
      epsilon: specification.epsilon, variance: variance, batchNorm: scope)
  }
}

extension ModelConfiguration {
  /// The network and the method that a specification describes.
  package init(_ specification: TrainSpecification) {
    self.init(
      encoder: EncoderConfiguration(specification.encoder),
      projector: ProjectorConfiguration(specification.projector), method: VICReg(specification.loss),
      seed: specification.seed)
  }
}

extension OptimizerConfiguration {
  /// The update rule that a specification describes.
  package init(_ specification: OptimizerSpecification) {
    switch specification.name {
    case .adam, .adamw:
      self = .adam(
        beta1: specification.betas[0], beta2: specification.betas[1], epsilon: specification.epsilon,
        weightDecay: specification.weightDecay, decoupled: specification.name == .adamw)
    case .sgd: self = .sgd(momentum: specification.momentum, weightDecay: specification.weightDecay)
    case .lars:
      self = .lars(
        LARSConfiguration(
          momentum: specification.momentum, trust: specification.trust,
          weightDecay: specification.weightDecay,
          clip: specification.clip, excludeBiasAndNorm: specification.excludeBiasAndNorm))
    }
  }
}

extension AugmentationSpecification {
  /// How each of `count` views is made: those of even number as view one, the others as view two.
  package func views(_ count: Int = 2) -> [ViewMaker] {
    (0..<count).map { view in
      switch self {
      case .mirror: view.isMultiple(of: 2) ? .plain : .mirrored
      case .random(let recipe): .random(ViewRecipe(recipe, view: view % 2))
      }
    }
  }
}

extension ViewRecipe {
  /// The recipe of one of the two views.
  fileprivate init(_ recipe: AugmentationRecipe, view: Int) {
    self.init(
      cropScale: recipe.cropScale[0]...recipe.cropScale[1],
      cropRatio: recipe.cropRatio[0]...recipe.cropRatio[1],
      antialias: recipe.antialias, flipProbability: recipe.flipProbability,
      jitterProbability: recipe.jitterProbability, brightness: recipe.brightness, contrast: recipe.contrast,
      saturation: recipe.saturation, hue: recipe.hue, grayscaleProbability: recipe.grayscaleProbability,
      blurProbability: recipe.blurProbability[view], blurKernel: recipe.blurKernel,
      blurSigma: recipe.blurSigma[0]...recipe.blurSigma[1],
      solarizeProbability: recipe.solarizeProbability[view], solarizeThreshold: recipe.solarizeThreshold)
  }
}

extension ImageDataset.Split {
  /// The split that a job's dataset names.
  package init(_ split: DatasetSelection.Split) {
    switch split {
    case .train: self = .train
    case .test: self = .test
    }
  }
}
