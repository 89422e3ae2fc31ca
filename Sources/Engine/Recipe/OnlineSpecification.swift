import JSONText
import Text

/// How a training evaluates itself while it runs: on a part of its training images that is held back and
/// never trained on.
///
/// A stored specification without the member trains on all images: `nil`. New trainings get what
/// `TrainSpecification.adoptOnline` says.
package struct OnlineSpecification: JSONRecord, Equatable {
  /// Trains one Linear on the pooled features along with the steps, whose gradient goes no further.
  package var probe = true
  /// Classifies the held-back images by the most similar training images.
  package var knn = true
  /// Epochs from one evaluation to the next, ≥ 1; the end of the run always has one.
  package var everyEpochs = 1
  /// Share of the training images that is held back.
  package var holdout = 0.02

  /// Everything, on 2% of the images after every epoch.
  package init() {}

  package static let fields = Fields<Self> {
    Field(
      "probe", \.probe, .boolean,
      "Whether a linear classifier is trained along with the steps and tested on the held-back images; it "
        + "has no influence on the encoder.")
    Field(
      "knn", \.knn, .boolean,
      "Whether the held-back images are classified by the most similar training images.")
    Field(
      "every_epochs", \.everyEpochs, .integer(1...1_000_000),
      "Epochs from one evaluation to the next; the end of the run always has one.")
    Field(
      "holdout", \.holdout, .number(.positive(0.5)),
      "Share of the training images that is held back, at least 2 images.")
  }

  /// Held-back images of a training that did not ask for them: with fewer, all images are trained on.
  package static let heldBackStandardMin = 100
  /// Held-back images at least: fewer have no spread.
  package static let heldBackMin = 2

  /// How many of that many images are held back.
  package func heldBackCount(of images: Int) -> Int { Int((holdout * Double(images)).rounded()) }

  /// What is measured, with the labels that some of it needs.
  package var metrics: [Metric] {
    (probe ? [Metric.probeTop1] : []) + (knn ? [Metric.knnTop1] : []) + [.holdoutLoss, .holdoutRankMe]
  }
}

extension Metric {
  /// Accuracy of the online probe.
  static let probeTop1 = Metric(
    "probe_top1", "Online probe",
    "Share of the held-back images that a linear classifier, trained along with the steps, gets right.",
    best: .highest)
  /// Accuracy of the online neighbours.
  static let knnTop1 = Metric(
    "knn_top1", "Online kNN",
    "Share of the held-back images whose class the most similar training images have.", best: .highest)
  /// The method's loss on held-back images.
  static let holdoutLoss = Metric(
    "holdout_loss", "Held-back loss",
    "The loss on held-back images, with the same augmentation each time.")
  /// The effective rank of held-back images.
  static let holdoutRankMe = Metric(
    "holdout_rankme", "Held-back rank",
    "Dimensions that the pooled features of the held-back images really use (RankMe).", best: .highest)

  /// What the online evaluation of a training measures, in the order of its lines.
  package static let online = [probeTop1, knnTop1, holdoutLoss, holdoutRankMe]
  /// Whether a metric is one of them.
  package static func isOnline(_ name: String) -> Bool {
    online.contains { ByteString($0.name) == ByteString(name) }
  }
  /// Those of them that need labels.
  static let labelledOnline = [probeTop1, knnTop1]
}

extension TrainSpecification {
  /// Takes the standard online evaluation where a new training does not say which it wants: with presets
  /// that are no published recipes, views that are random, and enough images.
  ///
  /// - Parameter imageCount: of the split.
  package mutating func adoptOnline(imageCount: Int) {
    guard preset.isForCPUs, augmentation != .mirror else { return }
    let standard = OnlineSpecification()
    let count = min(imageCount, dataset.limit ?? imageCount)
    if standard.heldBackCount(of: count) >= OnlineSpecification.heldBackStandardMin { online = standard }
  }

  /// How many of that many images of the split are trained on.
  package func trainedCount(of imageCount: Int) -> Int {
    let count = min(imageCount, dataset.limit ?? imageCount)
    return count - (online?.heldBackCount(of: count) ?? 0)
  }

  /// Notes a part that is too small to be held back, or to be trained on.
  func checkOnline(imageCount: Int, at pointer: String, _ problems: ProblemList) {
    guard let online else { return }
    let count = min(imageCount, dataset.limit ?? imageCount)
    let heldBack = online.heldBackCount(of: count)
    let share = "\(JSON.number(online.holdout).text), which is \(heldBack) of \(count) images"
    if heldBack < OnlineSpecification.heldBackMin {
      problems.add(
        "\(pointer)/online/holdout",
        "must hold back at least \(OnlineSpecification.heldBackMin) images, got \(share); null trains on all")
    } else if count - heldBack < 2 {
      problems.add("\(pointer)/online/holdout", "must leave at least 2 images to train on, got \(share)")
    }
  }

  /// Notes a metric for the best checkpoints that a dataset without labels does not give.
  func checkKeepBest(classCount: Int, at pointer: String, _ problems: ProblemList) {
    guard classCount < 2, let best = checkpoint.keepBest,
      Metric.labelledOnline.contains(where: { ByteString($0.name) == best.metric })
    else { return }
    problems.add(
      "\(pointer)/checkpoint/keep_best/metric",
      "must be a metric that needs no labels, as \(JSON.string(dataset.name).text) has \(classCount) "
        + "classes, got \(JSON.string(best.metric).text)")
  }
}
