import Datasets
import Parallel
import Recipe
import Tensors
import Training

/// How many views of a dataset's images are made in a second.
package struct AugmentationBenchmark {
  /// `colour`: the images unchanged; `grey`: their first plane alone.
  package let images: String
  /// Threads that made the views.
  package let threads: Int
  /// The median over the rounds.
  package let viewsPerSecond: Double
  /// Views that one of the threads made in a second.
  package var viewsPerSecondAndThread: Double { viewsPerSecond / Double(threads) }

  /// Measures one thread and `threads`, each with the images unchanged, where they have colours, and with
  /// their first plane. Throws `SystemError` without threads or memory.
  package static func all(
    _ dataset: ImageDataset, _ specification: TrainSpecification, threads: Int, rounds: Int
  ) throws -> [AugmentationBenchmark] {
    let grey = [("grey", dataset.firstPlanes)]
    let kinds = dataset.planes == 3 ? [("colour", dataset)] + grey : grey
    return try kinds.flatMap { name, dataset in
      try Set([1, threads]).sorted().map { threads in
        AugmentationBenchmark(
          images: name, threads: threads,
          viewsPerSecond: try rate(dataset, specification, threads: threads, rounds: rounds))
      }
    }
  }

  /// Views a second: the median over the rounds.
  private static func rate(
    _ dataset: ImageDataset, _ specification: TrainSpecification, threads: Int, rounds: Int
  ) throws -> Double {
    let views = specification.augmentation.views()
    let loader = try BatchLoader(
      dataset: dataset, views: views, seed: 0, team: try ThreadTeam(threads: threads))
    let output = try Arena().allocate(loader.viewFloats(dataset.count))
    let images = Array(0..<dataset.count)
    var epoch = 0
    let seconds = Timing.seconds(of: rounds) {
      loader.load(images[...], epoch: epoch, into: output)
      epoch += 1
    }
    return Double(views.count * dataset.count) / Timing.median(seconds)
  }
}
