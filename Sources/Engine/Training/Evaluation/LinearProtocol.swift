import NeuralNet
import Platform
import Recipe

/// The constants of `linear`, `linear-seed` and `linear-official`: one Linear on frozen features.
///
/// Plain gradient descent, the rate falling by a cosine that is stepped once an epoch (PyTorch's
/// `CosineAnnealingLR` with T_max = epochs); training images cropped and flipped at random, as torchvision's
/// `RandomResizedCrop(scale=(0.2, 1))` and `RandomHorizontalFlip` do. `linear-official` has the momentum and
/// the first weights of facebookresearch/vicreg's `evaluate.py`. For `finetune` it trains the Linear of the
/// raw pixels, with the constants of its head.
struct LinearProtocol {
  /// Images a step of the classifier.
  var batchSize = 256
  /// Rate of the first epoch.
  var learningRate = 0.02
  /// Added to the gradient, as SGD in PyTorch does.
  var weightDecay = 1e-6
  /// Epochs of the classifier.
  let epochs: Int
  /// Whether test images are normalised as training images are. `linear-seed` repeats a mistake of its
  /// source.
  let normalizesTest: Bool

  /// Decay of the velocity; 0: none.
  let momentum: Double
  /// How the weights are drawn.
  let initialization: LinearClassifier.Initialization

  /// The protocol that a specification names.
  init(_ specification: EvaluateSpecification) {
    epochs = specification.epochs
    normalizesTest = specification.protocol != .linearSeed
    switch specification.protocol {
    case .linearOfficial: (momentum, initialization) = (0.9, .normal)
    case .finetune:
      let constants = specification.finetune
      (momentum, initialization) = (constants.momentum, .uniform)
      (batchSize, learningRate) = (constants.batchSize, constants.headRate)
      weightDecay = constants.weightDecay
    case .logistic, .knn, .linear, .linearSeed: (momentum, initialization) = (0, .uniform)
    }
  }

  /// The rate of the zero-based `epoch`.
  func rate(epoch: Int) -> Double { learningRate * Self.decay(epoch: epoch, of: epochs) }

  /// A cosine from 1 down towards 0, stepped once an epoch.
  static func decay(epoch: Int, of epochs: Int) -> Double {
    (1 + Mathematics.cosine(Double.pi * Double(epoch) / Double(epochs))) / 2
  }
}
