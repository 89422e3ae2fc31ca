import Recipe
import Tensors

/// A way of training an encoder: which branches the network has, what is minimised, and how its health is
/// judged.
///
/// A new method is its constants in target Recipe with a line in `MethodName.types`, and here one file that
/// makes them conform to this protocol, with the `Objective`.
package protocol Method: MethodSpecification {
  /// The parts of the network besides encoder and projector.
  var branches: Branches { get }
  /// Least and largest values that health is judged by, for embeddings of `dimension` numbers.
  func health(dimension: Int) -> HealthScale
  /// The matrix whose spread, correlation and rank are reported.
  var diagnosed: DiagnosedEmbedding { get }
  /// Plans what is minimised, with parameters of its own if it has any.
  func objective(_ shape: EmbeddingShape, plan: NetworkPlan) throws -> any Objective
}

/// Which branches a method's network has besides its encoder and projector.
package struct Branches: Sendable, Equatable {
  /// The learning rate of the predictor.
  package enum PredictorRate: Sendable, Equatable {
    /// That of the schedule, as the other parameters.
    case scheduled
    /// The rate before warm-up and decay.
    case constant
  }

  /// A predictor after the projector; `nil`: none.
  package var predictor: PredictorRate?
  /// A moving average of encoder and projector, whose embeddings are predicted; `nil`: none.
  package var target: MomentumSchedule?

  /// None, unless said otherwise.
  package init(predictor: PredictorRate? = nil, target: MomentumSchedule? = nil) {
    self.predictor = predictor
    self.target = target
  }
}

/// The sizes of what an objective is evaluated on.
package struct EmbeddingShape: Sendable, Equatable {
  /// Global views of each image.
  package var views: Int
  /// Local views of each image, which follow the global ones.
  package var localViews: Int
  /// Most images at once.
  package var batchSize: Int
  /// Numbers of an embedding.
  package var dimension: Int
  /// Classes of the labels, where the method needs labels.
  package var classes: Int
  /// Of random numbers that the objective draws.
  package var seed: UInt64

  /// All sizes.
  package init(
    views: Int, localViews: Int = 0, batchSize: Int, dimension: Int, classes: Int = 0, seed: UInt64 = 0
  ) {
    self.views = views
    self.localViews = localViews
    self.batchSize = batchSize
    self.dimension = dimension
    self.classes = classes
    self.seed = seed
  }

  /// Views of each image, global and local.
  package var allViews: Int { views + localViews }
}

/// What the branches of a network gave for a batch.
package struct BranchOutputs {
  /// What the projector gives, or the encoder's features without one: `[views · n, d]`, view after
  /// view, the global ones first.
  package let embedding: Activation
  /// What the predictor makes of it, of the same shape.
  package let prediction: Activation?
  /// What the moving average gives, of the same shape.
  package let target: Activation?
  /// A label for each of the n images, where the method needs labels; there may be more at the end.
  package let labels: [Int]
  /// The zero-based optimiser step.
  package let step: Int

  /// See the properties.
  package init(
    embedding: Activation, prediction: Activation? = nil, target: Activation? = nil, labels: [Int] = [],
    step: Int = 0
  ) {
    self.embedding = embedding
    self.prediction = prediction
    self.target = target
    self.labels = labels
    self.step = step
  }
}

/// What a method minimises. Keeps nothing between calls but scratch memory and its last figures.
package protocol Objective: AnyObject {
  /// The loss of a batch, and its gradient by the predictions, or by the embedding where there is no
  /// predictor. The gradient stays valid until the next call, and may be overwritten.
  func evaluate(_ outputs: BranchOutputs) -> (loss: Double, gradient: Activation)
  /// The parts of the last loss by name, unweighted, in the order in which people read them.
  var figures: [Figure] { get }
}

/// The embedding of which spread, correlation and rank are reported.
package enum DiagnosedEmbedding: Sendable, Equatable {
  /// As it is; `epsilon` is added to the variance before its root.
  case raw(epsilon: Double)
  /// Each row divided by its norm, for losses that see only directions.
  case unitRows
}

extension LossSpecification {
  /// The chosen method with its constants.
  package var configured: any Method {
    guard let method = constants as? any Method else {
      preconditionFailure("the method \(method.rawValue) has no objective")
    }
    return method
  }
}
