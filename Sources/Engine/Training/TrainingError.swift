import Recipe

/// Why a run of training or evaluation cannot go on.
package enum TrainingError: Error, Equatable, CustomStringConvertible {
  /// A number that must be finite is not: the run has diverged at `step` (from 1), and going on is pointless.
  case diverged(step: Int, what: String)
  /// The features of an encoder are not finite: its weights are those of a training that diverged, or too
  /// large.
  case featuresNotFinite
  /// The dataset has fewer images than one step needs.
  case tooFewImages(dataset: String, count: Int, needed: Int)
  /// The images that a training holds back to evaluate itself are too few.
  case tooFewHeldBack(dataset: String, count: Int, heldBack: Int)
  /// The two splits of an evaluation's dataset do not have the same classes.
  case otherClasses(dataset: String)
  /// The checkpoint that a training goes on with has all the steps that it is to have.
  case noStepLeft(step: Int, stepsTotal: Int)
  /// An evaluation uses fewer labels than there are classes.
  case tooFewLabels(dataset: String, count: Int, classes: Int)
  /// A split that is to be embedded has no images.
  case noImage(dataset: String, split: String)
  /// An evaluation or an embedding asks for a layer that the network does not have.
  case missingLayer(String)

  package var description: String {
    switch self {
    case .diverged(let step, let what):
      "the training diverged: \(what) at step \(step); a lower learning rate or a warm-up may help"
    case .featuresNotFinite:
      "the encoder's features are not finite: its weights come from a training that diverged, or are too "
        + "large"
    case .tooFewImages(let dataset, let count, let needed):
      "cannot train on \(dataset): it has \(count) images, at least \(needed) are needed"
    case .tooFewHeldBack(let dataset, let count, let heldBack):
      "cannot hold images of \(dataset) back: online.holdout makes \(heldBack) of its \(count) images, at "
        + "least \(OnlineSpecification.heldBackMin) are needed"
    case .otherClasses(let dataset):
      "cannot evaluate on \(dataset): its train and test splits have different classes"
    case .noStepLeft(let step, let total):
      "cannot go on with the checkpoint of init_from: it is at step \(step), and this training ends at step "
        + "\(total); give more epochs"
    case .tooFewLabels(let dataset, let count, let classes):
      "cannot evaluate on \(dataset) with \(count) labels: each of the \(classes) classes needs one"
    case .noImage(let dataset, let split): "cannot embed split \"\(split)\" of \(dataset): it has no images"
    case .missingLayer(let layer):
      "cannot use the layer \"\(layer)\": the network has none; \"pooled\" is in every encoder"
    }
  }
}
