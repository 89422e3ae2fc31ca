import Datasets
import Kernels
import NeuralNet
import Platform
import Recipe
import TensorElements
import Tensors

/// Evaluates an encoder while it is trained, on images that the training holds back.
///
/// It has no influence on the training's bits: it runs between steps in the network's own memory, which no
/// step expects anything in, and puts back what it changes. What it finds depends on the specification, the
/// state and the instruction set alone.
///
/// - `probe_top1`: by the `OnlineProbe`, on features by running statistics.
/// - `knn_top1`: by the vote of the most similar images of the bank, as the protocol `knn`.
/// - `holdout_loss`: the method's loss on augmented views that are the same each time, by batch statistics
///   and in batches of the training's size, as the training's own loss has it. Images that fill no batch are
///   left out, unless there are fewer than one batch: they make a smaller one.
/// - `holdout_rankme`: the effective rank of the held-back images' features.
final class OnlineEvaluation {
  private let model: PretrainingModel
  private let dataset: ImageDataset
  private let split: OnlineSplit
  private let memory: OnlineMemory
  /// Makes the training's views of any image.
  private let views: BatchLoader
  /// Makes the image itself, normalised.
  private let plain: BatchLoader
  private let labels: [Int]?
  /// What it has taken so far.
  private(set) var time = OnlineTime()

  /// Images that features are computed of at once, at most.
  private static let chunkMax = 256

  /// Plans the evaluation in the model's arena, after all else that is in it.
  ///
  /// - Parameter views: makes the views that the training sees.
  /// - Throws: `SystemError` without memory.
  init(
    _ specification: OnlineSpecification, split: OnlineSplit, model: PretrainingModel, views: BatchLoader
  ) throws {
    self.split = split
    self.model = model
    self.views = views
    dataset = views.dataset
    let hasLabels = dataset.labels != nil && dataset.classes.count >= OnlineMemory.classesMin
    labels = hasLabels ? dataset.labels : nil
    memory = try OnlineMemory(
      specification, of: model, heldBack: split.heldBack.count, bank: split.bank.count,
      classes: hasLabels ? dataset.classes.count : 0)
    plain = try BatchLoader(
      dataset: dataset, views: [.plain], side: model.imageSide, seed: 0, team: model.compute.team)
  }

  /// What a checkpoint keeps, where it lies.
  var state: [StoredTensor] { memory.probe?.state ?? [] }

  /// Begins anew.
  func initialize(seed: UInt64) { memory.probe?.initialize(seed: seed) }

  /// Goes on after that many steps.
  func resume(at step: Int) { memory.probe?.stepCount = step }

  /// Takes what a step has computed of the images of its batch.
  func follow(_ images: ArraySlice<Int>) {
    guard let probe = memory.probe, let labels else { return }
    let start = SystemClock.monotonicNanoseconds
    defer { time.probe += SystemClock.monotonicNanoseconds - start }
    let rows = memory.stepFeatures.slice(0, model.configuration.views * images.count * model.pooledCount)
    model.takePooled(count: images.count, into: rows)
    probe.follow(rows, images: images, known: labels)
  }

  /// Evaluates the encoder as it is now.
  ///
  /// - Parameters:
  ///   - scratch: room for the views of a batch.
  ///   - isolated: runs its argument, and puts back the running statistics.
  ///   - proceed: called from time to time; what it throws ends the evaluation.
  func evaluate(
    _ place: OnlineReport.Place, scratch: Floats, isolated: (() throws -> Double) throws -> Double,
    proceed: @escaping () throws -> Void
  ) throws -> OnlineReport {
    let start = SystemClock.monotonicNanoseconds
    defer { time.evaluations += SystemClock.monotonicNanoseconds - start }
    try computeFeatures(of: split.heldBack, into: memory.features, scratch: scratch, proceed)
    let layout = layout()
    var figures: [Figure] = []
    if let probe = memory.probe { figures.append(Figure("probe_top1", probeTop1(probe, layout))) }
    if let search = memory.search {
      try computeFeatures(of: split.bank, into: memory.bankFeatures, scratch: scratch, proceed)
      figures.append(Figure("knn_top1", try neighbourTop1(search, layout, proceed)))
    }
    figures.append(Figure("holdout_loss", try isolated { try loss(scratch: scratch, proceed) }))
    figures.append(
      Figure("holdout_rankme", layout.map { RankMe.rank(ofSingularValues: $0.singularValues) } ?? .nan))
    return OnlineReport(place: place, figures: figures, layout: layout)
  }

  private func computeFeatures(
    of images: [Int], into table: Floats, scratch: Floats, _ proceed: () throws -> Void
  ) throws {
    let d = model.pooledCount
    let chunk = min(Self.chunkMax, model.configuration.views * model.batchSize)
    for first in stride(from: 0, to: images.count, by: chunk) {
      try proceed()
      let part = images[first..<min(first + chunk, images.count)]
      plain.load(part, epoch: 0, into: scratch)
      model.evaluatePooled(scratch, count: part.count, into: table.slice(first * d, part.count * d))
    }
  }

  private func layout() -> FeatureLayout? {
    memory.spectrum.look(at: memory.features).map { findings in
      FeatureLayout(
        singularValues: findings.singularValues, deviations: findings.deviations, images: split.heldBack,
        labels: labels.map { labels in split.heldBack.map { labels[$0] } },
        classes: labels == nil ? [] : dataset.classes, points: findings.points, explained: findings.explained)
    }
  }

  private func probeTop1(_ probe: OnlineProbe, _ layout: FeatureLayout?) -> Double {
    guard let labels = layout?.labels else { return .nan }
    let d = model.pooledCount
    let chunk = min(Self.chunkMax, model.configuration.views * model.batchSize)
    var correct = 0
    for first in stride(from: 0, to: labels.count, by: chunk) {
      let part = Array(labels[first..<min(first + chunk, labels.count)])
      correct += probe.correct(memory.features.slice(first * d, part.count * d), labels: part)
    }
    return Double(correct) / Double(labels.count)
  }

  private func neighbourTop1(
    _ search: NeighbourSearch, _ layout: FeatureLayout?, _ proceed: () throws -> Void
  ) throws -> Double {
    guard let queries = layout?.labels, let labels,
      model.compute.finiteness(of: memory.bankFeatures).notFinite == 0
    else { return .nan }
    let vote = NeighbourVote(
      labels: split.bank.map { labels[$0] }, classes: dataset.classes.count,
      temperature: OnlineMemory.neighbours.temperature)
    let bank = NeighbourSearch.Bank(.table(memory.bankFeatures), Array(split.bank.indices))
    var images = RankedImages()
    try search.run(.table(memory.features), Array(queries.indices), in: bank, proceed) { row, found in
      images.add(vote.ranking(found, label: queries[row]))
    } counted: { _ in
    }
    return images.top1
  }

  /// The mean over batches of held-back images; it changes running statistics.
  private func loss(scratch: Floats, _ proceed: () throws -> Void) throws -> Double {
    let images = split.heldBack
    let size = min(model.batchSize, images.count)
    let batches = images.count / size
    var sum = 0.0
    for index in 0..<batches {
      try proceed()
      let batch = images[index * size..<(index + 1) * size]
      // The keys of views are the positions of their images: none of these is ever trained on.
      views.load(batch, epoch: 0, into: scratch)
      sum += model.loss(scratch, count: size, labels: labels.map { labels in batch.map { labels[$0] } } ?? [])
    }
    return sum / Double(batches)
  }
}
