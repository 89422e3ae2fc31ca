import Datasets
import Kernels
import NeuralNet
import Parallel
import Platform
import Recipe
import Tensors

/// How much memory a training or an evaluation will take, known before it begins.
///
/// Plans everything as the run does, by the same code, in arenas that only count: no thread is started and no
/// memory is taken, whatever the size. `vicregd bench memory --runs` compares it with what runs really take.
package enum MemoryEstimate {
  /// The images of a split.
  package struct Images: Sendable, Equatable {
    /// How many there are, before a specification's limit.
    package var count: Int
    /// Side of the square images in pixels, padding included; views may have another.
    package var side: Int
    /// Planes of a stored image: 1 or 3.
    package var planes: Int
    /// Classes of their labels.
    package var classes: Int
    /// Whether they stay in their file if they are many.
    package var isPacked: Bool

    /// Images as a dataset's header describes them.
    package init(count: Int, side: Int, planes: Int, classes: Int, isPacked: Bool = false) {
      self.count = count
      self.side = side
      self.planes = planes
      self.classes = classes
      self.isPacked = isPacked
    }

    /// At most `limit` of them.
    func limited(_ limit: Int?) -> Images {
      Images(
        count: min(count, limit ?? count), side: side, planes: planes, classes: classes, isPacked: isPacked)
    }

    /// Bytes that they take in memory, with their labels: of a mapped file, what is mapped at a time.
    var bytes: Int {
      let pixels = count * planes * side * side
      let isMapped = isPacked && pixels > ImageStore.memoryBytesMax
      return (isMapped ? MappedFile.keptBytesMax : pixels) + count * MemoryLayout<Int>.stride
    }
  }

  /// What the program takes besides tensors and images: code, libraries, the heap of small things.
  static let programBytes = 18 << 20
  /// Bytes of a checkpoint's piece that a thread compresses, with room to grow and the compressed bytes.
  private static let compressionBytes = 12 << 20

  /// Bytes that a training's process takes at most: the images, the views of two batches, the network, the
  /// optimiser's state, and the copy of it all that a checkpoint is written from.
  ///
  /// - Parameter threads: of the worker; scratch memory grows with them.
  /// - Throws: `NetworkDescriptionError` for views that are too small for the network.
  package static func bytes(
    training specification: TrainSpecification, images: Images, threads: Int
  ) throws -> Int {
    let images = images.limited(specification.dataset.limit)
    let side = specification.viewSide(storedSide: images.side)
    let plan = try plan(specification, images: images, side: side, threads: threads)
    let batchSize = plan.model.batchSize
    let kernel = specification.augmentation.blurKernelMax
    let groups = specification.viewGroups(storedSide: images.side)
    let views = groups.reduce(0) { sum, group in
      sum + viewBytes(2 * group.makers.count * batchSize, group.side)
        + augmentationBytes(group.side, of: images.side, blurKernel: kernel, threads: threads)
    }
    // The sheet of the first views is made and encoded before the first step.
    let sheet =
      2 * ViewSheet.byteCount(specification, storedSide: images.side) * (1 + MemoryLayout<Float>.stride)
    return programBytes + images.bytes + views + sheet
      + plan.model.arena.allocatedBytes + plan.model.otherBytes + checkpointBytes(plan)
      + onlineBytes(plan, images, side: side, threads: threads) + threads * compressionBytes
  }

  /// Bytes that an online evaluation takes besides what is in the network's arena.
  private static func onlineBytes(_ plan: Plan, _ images: Images, side: Int, threads: Int) -> Int {
    guard let online = plan.online else { return 0 }
    // The order of an epoch has positions of its own, and the split those of all images.
    return online.otherBytes + 3 * images.count * MemoryLayout<Int>.stride
      + augmentationBytes(side, of: images.side, blurKernel: 1, threads: threads)
  }

  /// Bytes that an evaluation's process takes at most: the images of both splits, the checkpoint, the
  /// encoder, and the features and classifier of the subject that needs most.
  ///
  /// - Parameter training: what the evaluated checkpoint was trained by.
  /// - Throws: as the other one, and `TrainingError.missingLayer`.
  package static func bytes(
    evaluation specification: EvaluateSpecification, of training: TrainSpecification, train: Images,
    test: Images, classes: Int, threads: Int
  ) throws -> Int {
    let limit = specification.dataset.limit
    let (train, test) = (train.limited(limit), test.limited(limit))
    let side = training.viewSide(storedSide: train.side)
    let checkpoint = checkpointBytes(
      try plan(training, batchSize: 2, side: side, classes: classes, threads: threads))
    let layer = try specification.encoderLayer(of: training)
    let arena = Arena.counting()
    let encoder = try EncoderInference(
      training.encoder, projector: training.projector, imageSide: side,
      batchSize: EvaluationSubjects.batchSize, team: ThreadTeam(planning: threads), layer: layer,
      convolutions: training.convolution, arena: arena)
    let known = specification.usedCount(of: train.count)
    var subjects = [
      try classifierBytes(
        specification, features: encoder.featureCount, isEncoder: true, train: known, test: test.count,
        classes: classes, threads: threads)
    ]
    if specification.protocol == .finetune {
      let tuning = try FineTuning(
        specification, of: training, layer: layer, imageSide: side, labels: known, classes: classes,
        team: ThreadTeam(planning: threads), arena: .counting())
      let state = tuning.state.reduce(0) { $0 + $1.value.count } * MemoryLayout<Float>.stride
      // The state after an epoch, and the same while it is compressed.
      subjects[0] +=
        tuning.model.arena.allocatedBytes + tuning.model.otherBytes + 2 * state
        + viewBytes(tuning.model.batchSize, side) + threads * compressionBytes
    }
    if specification.baselines {
      let isLinear = specification.protocol.hasEpochs
      let features = (isLinear ? 3 : train.planes) * train.side * train.side
      let copied = isLinear || known == train.count ? 0 : known * features
      subjects.append(
        copied
          + (try classifierBytes(
            specification, features: features, isEncoder: false, train: known, test: test.count,
            classes: classes, threads: threads)))
    }
    // What each run took each test image for, once more while it is written.
    let outcomes = subjects.count * specification.runs * 2 * test.count * MemoryLayout<Int>.stride
    return programBytes + train.bytes + test.bytes + checkpoint + arena.allocatedBytes
      + (subjects.max() ?? 0) + outcomes + 2 * train.count * MemoryLayout<Int>.stride
      + 2 * augmentationBytes(max(side, train.side), of: train.side, blurKernel: 1, threads: threads)
  }

  /// A network and its optimiser, planned and not there.
  struct Plan {
    let model: PretrainingModel
    let optimizer: Optimizer
    /// What evaluates the training while it runs, if anything does.
    var online: OnlineMemory?
  }

  /// The training of a specification on images, of which it may hold some back.
  ///
  /// - Parameter images: those that the specification's limit leaves.
  static func plan(
    _ specification: TrainSpecification, images: Images, side: Int, threads: Int
  ) throws -> Plan {
    let trained = specification.trainedCount(of: images.count)
    var plan = try plan(
      specification, batchSize: max(2, min(specification.batchSize, trained)), side: side,
      classes: images.classes, threads: threads)
    let heldBack = images.count - trained
    if let online = specification.online, heldBack >= OnlineSpecification.heldBackMin {
      plan.online = try OnlineMemory(
        online, of: plan.model, heldBack: heldBack, bank: OnlineSplit.bankCount(online, trained: trained),
        classes: images.classes)
    }
    return plan
  }

  /// The training of a specification as it would be planned for so many images at once.
  static func plan(
    _ specification: TrainSpecification, batchSize: Int, side: Int, classes: Int, threads: Int
  ) throws -> Plan {
    let model = try PretrainingModel(
      ModelConfiguration(specification, classes: classes), imageSide: side, batchSize: batchSize,
      team: ThreadTeam(planning: threads), convolutions: specification.convolution, arena: .counting())
    let optimizer = try Optimizer(
      specification.optimizer, parameters: model.parameters, compute: model.compute,
      arena: model.arena)
    return Plan(model: model, optimizer: optimizer)
  }

  /// The tensors of a checkpoint.
  static func checkpointBytes(_ plan: Plan) -> Int {
    let floats =
      (plan.model.parameters + plan.model.averagedParameters).reduce(0) { $0 + $1.value.count }
      + plan.model.buffers.reduce(0) { $0 + $1.value.count }
      + plan.optimizer.state.reduce(0) { $0 + $1.value.count }
      + (plan.online?.probe?.state ?? []).reduce(0) { $0 + $1.value.count }
    return floats * MemoryLayout<Float>.stride
  }

  private static func viewBytes(_ count: Int, _ side: Int) -> Int {
    count * 3 * side * side * MemoryLayout<Float>.stride
  }

  /// Scratch of the team's threads and of the one that works ahead of them.
  static func augmentationBytes(
    _ side: Int, of storedSide: Int, blurKernel: Int, threads: Int
  ) -> Int {
    (threads + 1)
      * AugmentationScratch.reservedBytes(side: side, extentMax: storedSide, blurKernel: blurKernel)
  }

  /// Features of one subject and the classifier on them.
  private static func classifierBytes(
    _ specification: EvaluateSpecification, features: Int, isEncoder: Bool, train: Int, test: Int,
    classes: Int, threads: Int
  ) throws -> Int {
    let team = ThreadTeam(planning: threads)
    let rowBytes = features * MemoryLayout<Float>.stride
    let gathered = 2 * EvaluationSubjects.batchSize * rowBytes
    let tables = isEncoder ? (train + test) * rowBytes + gathered : 0
    let positions = 4 * train * MemoryLayout<Int>.stride
    let arena = Arena.counting()
    switch specification.protocol {
    case .logistic:
      _ = try LogisticRegression(
        featureCount: features, classes: classes, rows: train, team: team, arena: arena)
      let vectors = QuasiNewton.vectorsMax * (features + 1) * classes * MemoryLayout<Double>.stride
      return tables + arena.allocatedBytes + positions + vectors
    case .knn:
      _ = try NeighbourSearch(
        featureCount: features, bankCount: train, k: specification.knn.k, team: team, arena: arena)
      let isWhitened =
        specification.knn.metric == .whitened
        && FeatureTables.whitens(isEncoder ? .trained : .rawPixels, featureCount: features)
      guard isWhitened else { return tables + arena.allocatedBytes + positions }
      // The search begins when the whitening has ended; neither knows of the other's memory.
      _ = try FeatureWhitening(featureCount: features, rows: train, team: team, arena: arena)
      let scaling = 2 * rowBytes + (train + test) * MemoryLayout<Int>.stride
      let pixels = isEncoder ? 0 : (train + test) * rowBytes
      return tables + arena.allocatedBytes + positions + scaling + pixels
    case .linear, .linearSeed, .linearOfficial, .finetune: break
    }
    let head = try LinearClassifier(
      featureCount: features, classes: classes, batchSize: EvaluationSubjects.batchSize, team: team,
      arena: .counting())
    let kept = (specification.features == .cached && specification.protocol.isLinear ? train : 0) + test
    let pixels = isEncoder ? kept * rowBytes : EvaluationSubjects.batchSize * rowBytes
    return gathered + head.arena.allocatedBytes + pixels
  }
}

extension EvaluateSpecification {
  /// How many of that many training images any of its runs uses, at most.
  func usedCount(of images: Int) -> Int { min(images, runs * max(labelledCount(of: images), 1)) }
}

extension AugmentationSpecification {
  /// The widest blur that a view may need.
  fileprivate var blurKernelMax: Int {
    switch self {
    case .mirror: 1
    case .random(let recipe): recipe.blurKernel
    }
  }
}
