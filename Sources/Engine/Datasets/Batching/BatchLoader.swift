import Parallel
import Platform
import Tensors

/// Fills batches with the views of a dataset's images, in the threads of a team.
///
/// What is written depends on the seed, the epoch and the images alone, never on the threads.
package struct BatchLoader: Sendable {
  /// Views that one task makes: enough work to outweigh handing it out, little enough to wait for.
  private static let viewsPerTask = 4

  package let dataset: ImageDataset
  /// Side of the views in pixels.
  package let side: Int
  private let augmenters: [Augmenter]
  private let seed: UInt64
  /// Who fills batches.
  let team: ThreadTeam
  /// One a member of the team, and one for a thread beside it.
  private let scratches: [AugmentationScratch]

  /// `views` has one maker a view: two in training, one in evaluation. `side` is that of the views in pixels,
  /// by default that of the stored images. `normalizes` false leaves values in [0, 1].
  ///
  /// Throws `DatasetError.blurTooWide` for a recipe that the views are too small for, or `SystemError` if
  /// there is no memory.
  package init(
    dataset: ImageDataset, views: [ViewMaker], side: Int? = nil, normalizes: Bool = true, seed: UInt64,
    team: ThreadTeam
  ) throws {
    let side = side ?? dataset.side
    let kernels = views.map { maker in
      if case .random(let recipe, let branch) = maker, recipe.blurProbability[branch] > 0 {
        recipe.blurKernel
      } else {
        1
      }
    }
    let kernel = kernels.max() ?? 1
    guard kernel / 2 < side else { throw DatasetError.blurTooWide(kernel: kernel, side: side) }
    let bytes = AugmentationScratch.reservedBytes(
      side: side, extentMax: dataset.side, blurKernel: kernel)
    let arena = try Arena(reservedBytes: (team.threads + 1) * bytes)
    self.dataset = dataset
    self.side = side
    self.seed = seed
    self.team = team
    augmenters = views.map { Augmenter($0, side: side, statistics: normalizes ? dataset.statistics : nil) }
    scratches = try (0...team.threads).map { _ in
      try AugmentationScratch(side: side, extentMax: dataset.side, blurKernel: kernel, arena: arena)
    }
  }

  /// Floats of the views of `count` images.
  package func viewFloats(_ count: Int) -> Int { augmenters.count * count * viewSize }

  /// Writes the views of the images at `indices` into the front of `output`: `[views][n][3][side][side]`, n
  /// the number of indices, all first views first.
  package func load(_ indices: ArraySlice<Int>, epoch: Int, into output: Floats) {
    team.run(tasks: taskCount(indices.count)) { task, member in
      run(task, of: indices, epoch: epoch, into: output, worker: member)
    }
  }

  /// Tasks that the views of `count` images are cut into.
  func taskCount(_ count: Int) -> Int {
    (augmenters.count * count + Self.viewsPerTask - 1) / Self.viewsPerTask
  }

  /// One of the tasks that `load` hands out. `worker` is a member of the team, or `team.threads` for a thread
  /// beside it; nobody else may use that number at the same time.
  func run(_ task: Int, of indices: ArraySlice<Int>, epoch: Int, into output: Floats, worker: Int) {
    let n = indices.count
    let end = min((task + 1) * Self.viewsPerTask, augmenters.count * n)
    for item in (task * Self.viewsPerTask)..<end {
      let view = item / n
      let sample = indices[indices.startIndex + item % n]
      augmenters[view].view(
        of: dataset, key: ViewKey(seed: seed, epoch: epoch, sample: sample, view: view),
        into: output.slice(item * viewSize, viewSize), scratch: scratches[worker])
    }
  }

  /// Labels of the images at `indices`.
  package func labels(_ indices: ArraySlice<Int>) -> [Int] { indices.map { dataset.labels[$0] } }

  /// Floats of a view.
  private var viewSize: Int { 3 * side * side }
}
