import Platform
import Recipe

/// The constants of `linear` and `linear-seed`: one Linear on frozen features.
///
/// Plain gradient descent, the rate falling by a cosine that is stepped once an epoch (PyTorch's
/// `CosineAnnealingLR` with T_max = epochs); training images cropped and flipped at random, as torchvision's
/// `RandomResizedCrop(scale=(0.2, 1))` and `RandomHorizontalFlip` do.
struct LinearProtocol {
  /// Images a step of the classifier.
  static let batchSize = 256
  /// Rate of the first epoch.
  static let learningRate = 0.02
  /// Added to the gradient, as SGD in PyTorch does.
  static let weightDecay = 1e-6

  /// Epochs of the classifier.
  let epochs: Int
  /// Whether test images are normalised as training images are. `linear-seed` repeats a mistake of its
  /// source.
  let normalizesTest: Bool

  /// The protocol that a specification names.
  init(_ specification: EvaluateSpecification) {
    epochs = specification.epochs
    normalizesTest = specification.protocol != .linearSeed
  }

  /// The rate of the zero-based `epoch`.
  func rate(epoch: Int) -> Double {
    Self.learningRate * (1 + Mathematics.cosine(Double.pi * Double(epoch) / Double(epochs))) / 2
  }
}
