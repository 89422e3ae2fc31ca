import JSONText
import Text

/// Everything that determines a pre-training run, resolved: no field is left to a default.
///
/// The JSON form is the `spec` of a `train` job (snake_case, one object a nested type). Two runs of one value
/// with one binary and instruction set give the same bits. The values that properties begin with are those
/// of the `seed` recipe; `Preset` has the others.
///
/// **How to add a field.** A field is a property and one line in the table `fields` of its type. Reading
/// with all messages, JSON, the JSON Schema of the OpenAPI document and the keys that messages name follow
/// from that line, and the engine takes the values of these types unchanged.
///
///     package struct EncoderSpecification: JSONRecord, Equatable {
///       package var zeroInitResidual = false
///
///       package static let fields = Fields<Self> {
///         Field("zero_init_residual", \.zeroInitResidual, .boolean, "Whether a block begins as identity.")
///       }
///     }
///
/// - The value that the property begins with is what specifications of earlier versions, which lack the
///   field, are read with. A preset that has another one sets it in `Preset.swift`.
/// - Other forms of values: `.integer(1...8)`, `.integerOrNull`, `.number(.positive(1))`, `.choice` (an enum
///   of strings), `.record` (a nested type with a table), `.recordOrNull(template)` (an object or `null`, as
///   `predictor` and `local_views` are); `Form` has them all.
/// - A member that belongs to its object only where another field says so has a condition. Elsewhere it is
///   refused with that phrase, and not written:
///
///       Field("temperature", \.temperature, .number(.positive(100)), "Of the softmax.")
///         .when("method is \"simclr\"") { $0.method == .simclr }
///
///   A condition sees only its own object. `LossSpecification` makes such members of the constants of every
///   method in its list. Two fields may share a key (`lambda`) if their conditions exclude each other.
/// - A field that others' defaults follow from stands before them and says so with `.then`, as `preset` does.
/// - A rule within one object is a `.check`; one that joins objects stands in `checkTogether`.
package struct TrainSpecification: JSONRecord, Equatable {
  package var preset = Preset.seed
  package var dataset = DatasetSelection(name: "fashion-mnist", split: .train)
  /// Side of the views in pixels; `nil`: that of the dataset's images.
  package var imageSize: Int?
  /// What the training begins with; `nil`: new weights.
  package var initFrom: InitialWeights?
  package var encoder = EncoderSpecification()
  package var convolution = ConvolutionChoice.automatic
  package var projector = ProjectorSpecification()
  /// The network after the projector, for methods that predict one view from another; else `nil`.
  package var predictor: ProjectorSpecification?
  package var loss = LossSpecification()
  /// Global views of each image, all of one size.
  package var views = 2
  /// Smaller views of each image; `nil`: none.
  package var localViews: LocalViews?
  package var augmentation = AugmentationSpecification.random(AugmentationRecipe())
  package var optimizer = OptimizerSpecification()
  package var schedule = ScheduleSpecification()
  /// Passes over the dataset, ≥ 1.
  package var epochs = 500
  /// Stops after that many optimiser steps even if epochs are left; `nil`: no such limit.
  package var maxSteps: Int?
  /// Images per step (each gives `views` views and the local ones), ≥ 2.
  package var batchSize = 256
  /// A new order each epoch; `false` keeps the order of the dataset.
  package var shuffle = true
  /// Leaves the short last batch of an epoch out.
  package var dropLast = false
  package var seed: UInt64 = 0
  /// How the training evaluates itself on images that it holds back; `nil`: it trains on all.
  package var online: OnlineSpecification?
  package var checkpoint = CheckpointPolicy()
  /// What happens when the loss is no longer finite.
  package var divergence = DivergencePolicy()
  /// Optimiser steps from one metric line to the next, ≥ 1; the first and last step always have one.
  package var logEverySteps = 10

  /// The `seed` recipe.
  package init() {}

  package static let fields = Fields<Self> {
    Field("preset", \.preset, .choice, "The recipe that fills every field that is not given.")
      .then { $0 = .preset($0.preset) }
    Field("method", \.loss.method, .choice, "What is minimised, and the parts of the network that it needs.")
      .then { $0.adopt($0.loss.method) }
    Field(
      "batch_size", \.batchSize, .integer(batchSizeMin...65_536),
      "Images per optimiser step; each gives several views."
    ).then { $0.optimizer.learningRate = $0.recipeLearningRate }
    Field("dataset", \.dataset, .record, "The images to train on.")
    Field(
      "image_size", \.imageSize, .integerOrNull(imageSizeRange),
      "Side in pixels of the views that the network sees; null: that of the dataset's images."
    )
    Field(
      "init_from", \.initFrom, .recordOrNull(InitialWeights.template),
      "A checkpoint of another training, or a model, to begin with; null: new weights.")
    Field("encoder", \.encoder, .record, "The network that is trained and kept.")
    Field(
      "convolution", \.convolution, .choice,
      "How convolutions are computed: direct sums all products, auto takes the fastest algorithm.")
    Field("projector", \.projector, .record, "The network after the encoder, which only the training uses.")
      .when("method is not \"supervised\"") { $0.hasProjector }
    Field(
      "predictor", \.predictor, .recordOrNull(ProjectorSpecification(widths: [4096, 256])),
      "The network after the projector that predicts another view; null: the method has none.")
    Field("loss", \.loss, .record, "The constants of the method.")
    Field("views", \.views, .integer(1...8), "Views of each image, all of image_size.")
    Field(
      "local_views", \.localViews, .recordOrNull(LocalViews()),
      "Smaller views of each image in addition, each pulled to the mean of the others; null: none.")
    Field(
      "augmentation", \.augmentation, .augmentation,
      "How the views of an image are made. mirror: the image and its mirror image, without randomness.")
    Field("optimizer", \.optimizer, .record, "How gradients become steps.")
    Field("schedule", \.schedule, .record, "How the learning rate changes over the run.")
    Field("epochs", \.epochs, .integer(1...1_000_000), "Passes over the dataset.")
    Field(
      "max_steps", \.maxSteps, .integerOrNull(1...1_000_000_000),
      "Optimiser steps after which the run ends, even if epochs are left; null: no such limit.")
    Field(
      "shuffle", \.shuffle, .boolean,
      "A new order of the images in each epoch; false: always the order of the dataset.")
    Field(
      "drop_last", \.dropLast, .boolean, "Leaves out the last batch of an epoch where it is a short one.")
    Field(
      "seed", \.seed, .seed, "Of all randomness; the same specification and seed give the same result.")
    Field(
      "online", \.online, .recordOrNull(OnlineSpecification()),
      "How the training evaluates itself while it runs, on training images that it holds back; null: it "
        + "trains on all. Not given: the whole object with preset \"small\" and random augmentation, if at "
        + "least \(OnlineSpecification.heldBackStandardMin) images are held back, and null in all other "
        + "cases."
    ).withoutDefault()
    Field("checkpoint", \.checkpoint, .record, "Which checkpoints are written and kept.")
    Field(
      "divergence", \.divergence, .record, "What happens when a loss, gradient or weight is no longer finite."
    )
    Field(
      "log_every_steps", \.logEverySteps, .integer(1...1_000_000),
      "Optimiser steps from one metric line to the next; the first and last step always have one.")
  }
}
