import Parallel
import Platform
import TensorElements
import Tensors

/// Fills batches with the views of a dataset's images, in the threads of a team.
///
/// What is written depends on the seed, the epoch and the images alone, never on the threads.
package struct BatchLoader: Sendable {
  /// Views that one task makes: enough work to outweigh handing it out, little enough to wait for.
  private static let viewsPerTask = 4

  /// How one of the views of every image is made.
  private struct View {
    let augmenter: Augmenter
    let group: Int
    /// Floats of one.
    let size: Int
    /// Floats of all views of one image before this one.
    let start: Int
  }

  package let dataset: ImageDataset
  private let views: [View]
  private let seed: UInt64
  /// Who fills batches.
  let team: ThreadTeam
  /// For each group, one per member of the team and one for a thread beside it.
  private let scratches: [[AugmentationScratch]]

  /// `views` has one maker per view. `side` is that of the views in pixels, by default that of the stored
  /// images. Everything else as the other initialiser.
  package init(
    dataset: ImageDataset, views: [ViewMaker], side: Int? = nil, normalizes: Bool = true, seed: UInt64,
    team: ThreadTeam
  ) throws {
    try self.init(
      dataset: dataset, groups: [ViewGroup(views, side: side ?? dataset.side)], normalizes: normalizes,
      seed: seed, team: team)
  }

  /// `groups` are the views of each image, size by size. `normalizes` false leaves values in [0, 1].
  ///
  /// Throws `DatasetError.blurTooWide` for a recipe that the views are too small for, or `SystemError` if
  /// there is no memory.
  package init(
    dataset: ImageDataset, groups: [ViewGroup], normalizes: Bool = true, seed: UInt64, team: ThreadTeam
  ) throws {
    self.dataset = dataset
    self.seed = seed
    self.team = team
    var views: [View] = []
    var start = 0
    for (index, group) in groups.enumerated() {
      for maker in group.makers {
        let augmenter = Augmenter(
          maker, side: group.side, statistics: normalizes ? dataset.statistics : nil)
        views.append(View(augmenter: augmenter, group: index, size: group.viewSize, start: start))
        start += group.viewSize
      }
    }
    self.views = views
    var scratchBytes = 0
    for group in groups {
      let (side, kernel) = (group.side, group.blurKernel)
      guard kernel / 2 < side else { throw DatasetError.blurTooWide(kernel: kernel, side: side) }
      scratchBytes += AugmentationScratch.reservedBytes(
        side: side, extentMax: dataset.side, blurKernel: kernel)
    }
    let arena = try Arena(reservedBytes: (team.threads + 1) * scratchBytes)
    scratches = try groups.map { group in
      try (0...team.threads).map { _ in
        try AugmentationScratch(
          side: group.side, extentMax: dataset.side, blurKernel: group.blurKernel, arena: arena)
      }
    }
  }

  /// Floats of the views of `count` images.
  package func viewFloats(_ count: Int) -> Int { count * views.reduce(0) { $0 + $1.size } }

  /// Writes the views of the images at `indices` into the front of `output`: for each group
  /// `[views][n][3][side][side]`, n the number of indices, all first views first.
  package func load(_ indices: ArraySlice<Int>, epoch: Int, into output: Floats) {
    team.run(tasks: taskCount(indices.count)) { task, member in
      run(task, of: indices, epoch: epoch, into: output, worker: member)
    }
  }

  /// Tasks that the views of `count` images are cut into.
  func taskCount(_ count: Int) -> Int {
    (views.count * count + Self.viewsPerTask - 1) / Self.viewsPerTask
  }

  /// One of the tasks that `load` hands out. `worker` is a member of the team, or `team.threads` for a thread
  /// beside it; nobody else may use that number at the same time.
  func run(_ task: Int, of indices: ArraySlice<Int>, epoch: Int, into output: Floats, worker: Int) {
    let n = indices.count
    let end = min((task + 1) * Self.viewsPerTask, views.count * n)
    for item in (task * Self.viewsPerTask)..<end {
      let (number, image) = item.quotientAndRemainder(dividingBy: n)
      let view = views[number]
      let sample = indices[indices.startIndex + image]
      view.augmenter.view(
        of: dataset, key: ViewKey(seed: seed, epoch: epoch, sample: sample, view: number),
        into: output.slice(n * view.start + image * view.size, view.size),
        scratch: scratches[view.group][worker])
    }
  }

  /// Labels of the images at `indices`, of a dataset that has them (`ImageDataset.requireLabels`).
  package func labels(_ indices: ArraySlice<Int>) -> [Int] {
    guard let labels = dataset.labels else { preconditionFailure("labels are asked for, and there are none") }
    return indices.map { labels[$0] }
  }
}
