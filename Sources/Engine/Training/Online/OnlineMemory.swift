import NeuralNet
import Recipe
import Tensors

/// All tensors of an online evaluation, taken from the arena of the training's network before its first step.
final class OnlineMemory {
  /// How many images are held back.
  let heldBack: Int
  /// Among how many neighbours are searched; 0: among none.
  let bank: Int
  /// `nil`: not asked for, or there are no labels.
  let probe: OnlineProbe?
  /// `nil`: not asked for, or there are no labels.
  let search: NeighbourSearch?
  /// Pooled features of the global views of a step, `[views · batchSize][D]`.
  let stepFeatures: Floats
  /// Of the held-back images, `[heldBack][D]`.
  let features: Floats
  /// Of the bank, `[bank][D]`.
  let bankFeatures: Floats
  let spectrum: FeatureSpectrum
  /// Bytes of memory outside the arena.
  let otherBytes: Int

  /// The votes' constants: those of the protocol `knn`.
  static let neighbours = NeighbourSpecification()
  /// Without as many classes there is nothing to classify.
  static let classesMin = 2

  /// Plans it; an arena that only counts gives no memory.
  ///
  /// - Parameters:
  ///   - heldBack: how many images are held back.
  ///   - bank: among how many neighbours are searched.
  ///   - classes: of the labels; 0: there are none.
  init(
    _ specification: OnlineSpecification, of model: PretrainingModel, heldBack: Int, bank: Int, classes: Int
  ) throws {
    let hasLabels = classes >= Self.classesMin
    let (arena, d) = (model.arena, model.pooledCount)
    self.heldBack = heldBack
    self.bank = specification.knn && hasLabels ? bank : 0
    probe = specification.probe && hasLabels ? try OnlineProbe(model, classes: classes) : nil
    search =
      specification.knn && hasLabels
      ? try NeighbourSearch(
        featureCount: d, bankCount: bank, k: Self.neighbours.k, team: model.compute.team, arena: arena) : nil
    stepFeatures = try arena.allocate(
      probe == nil ? 0 : model.configuration.views * model.batchSize * d)
    features = try arena.allocate(heldBack * d)
    bankFeatures = try arena.allocate(search == nil ? 0 : bank * d)
    spectrum = try FeatureSpectrum(rows: heldBack, columns: d, compute: model.compute, arena: arena)
    // What is reported of each image, and the positions of all.
    otherBytes =
      FeatureSpectrum.otherBytes(rows: heldBack, columns: d) + heldBack * 128
      + bank * MemoryLayout<Int>.stride
  }
}
