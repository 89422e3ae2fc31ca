import JSONText

/// The name of a method in a specification.
package enum MethodName: String, Sendable, CaseIterable {
  case vicreg
  case barlowTwins = "barlow-twins"
  case simclr, byol, simsiam, sigreg, supervised
}

/// Over which images a BatchNorm takes its statistics.
package enum BatchNormScope: String, Sendable, CaseIterable {
  /// All views pass the network as one batch.
  case concatenated
  /// Each view has its own batch statistics, view one first.
  case perView = "per_view"
}

/// The constants of a method: the members that `loss` has for it.
///
/// A new method is a type of this kind with its entry in `LossSpecification`, and in the engine an extension
/// that makes it a `Method`, with its objective.
package protocol MethodSpecification: JSONRecord {
  /// What a specification calls it.
  static var name: MethodName { get }
  /// How many views of each image it can take.
  static var views: ClosedRange<Int> { get }
  /// Whether it can take local views in addition.
  static var takesLocalViews: Bool { get }
  /// The parts of its loss, in the order in which metric lines have them.
  static var figures: [Metric] { get }
  /// Whether a projector follows the encoder.
  static var hasProjector: Bool { get }
  /// Whether a predictor follows the projector.
  static var hasPredictor: Bool { get }
  /// Over which images the BatchNorms of the network take their statistics.
  var batchNorm: BatchNormScope { get }
}

extension MethodSpecification {
  /// No local views, unless said otherwise.
  package static var takesLocalViews: Bool { false }

  /// What `batch_norm` means, which every method has.
  static var batchNormMeaning: String {
    "Whether BatchNorm takes its statistics over all views together or over each alone."
  }
}
