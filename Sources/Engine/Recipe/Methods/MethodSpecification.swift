import JSONText
import Text

/// The name of a method in a specification: that of a type in `MethodName.types`.
package struct MethodName: RawRepresentable, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  package let rawValue: String
  package var description: String { rawValue }

  /// The name that a method's own file gives it.
  init(_ name: String) { rawValue = name }

  /// The method of exactly this name; `nil`: there is none.
  package init?(rawValue: String) { self.init(bytes: ByteString(rawValue)) }

  package static let allCases = types.map { $0.name }

  /// The method of this name.
  package var type: any MethodSpecification.Type {
    guard let type = Self.types.first(where: { $0.name == self }) else {
      preconditionFailure("the method \(rawValue) is not in the list")
    }
    return type
  }
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
/// A new method is a type of this kind in a file of its own with its line in `MethodName.types`, and in the
/// engine an extension that makes it a `Method`, with its objective.
package protocol MethodSpecification: JSONRecord, Equatable {
  /// The constants that a specification begins with.
  static var standard: Self { get }
  /// What a specification calls it.
  static var name: MethodName { get }
  /// How many views of each image it can take.
  static var views: ClosedRange<Int> { get }
  /// Whether it can take local views in addition.
  static var takesLocalViews: Bool { get }
  /// Whether it needs the labels of the images.
  static var needsLabels: Bool { get }
  /// The parts of its loss, in the order in which metric lines have them.
  static var figures: [Metric] { get }
  /// Whether a projector follows the encoder.
  static var hasProjector: Bool { get }
  /// Whether a predictor follows the projector.
  static var hasPredictor: Bool { get }
  /// As published for CIFAR (solo-learn's scripts, LeJEPA's minimal example; recipes.md).
  static var published: MethodRecipe { get }
  /// For the narrow network of the preset `small`, which trains on a CPU in minutes.
  static var small: MethodRecipe { get }
  /// Over which images the BatchNorms of the network take their statistics.
  var batchNorm: BatchNormScope { get }
  /// What is wrong with the constants taken together: what they must be, and what they are.
  var mistake: String? { get }
}

extension MethodSpecification {
  /// No local views, unless said otherwise.
  package static var takesLocalViews: Bool { false }
  /// No labels, unless said otherwise.
  package static var needsLabels: Bool { false }
  /// Nothing: every member has a range of its own.
  package var mistake: String? { nil }

  /// What `batch_norm` means, which every method has.
  static var batchNormMeaning: String {
    "Whether BatchNorm takes its statistics over all views together or over each alone."
  }

  /// Whether the other is of the same method, with equal constants.
  func equals(_ other: any MethodSpecification) -> Bool { (other as? Self) == self }
}
