import API
import Datasets
import JobModel
import Platform
import Synchronization

/// The data sets of this machine, as the API asks for them.
final class CatalogDirectory: Sendable {
  private let catalog: DatasetCatalog
  private let known = Mutex<[String: (counts: Counts, nanoseconds: UInt64)]>([:])

  private typealias Counts = [DatasetSelection.Split: Int]

  /// So long a look at the files of a data set counts.
  private static let freshNanoseconds: UInt64 = 1_000_000_000

  init(catalog: DatasetCatalog) { self.catalog = catalog }

  private static func counts(_ counts: [ImageDataset.Split: Int]) -> Counts {
    var renamed: Counts = [:]
    for (split, count) in counts {
      switch split {
      case .train: renamed[.train] = count
      case .test: renamed[.test] = count
      }
    }
    return renamed
  }
}

extension CatalogDirectory: DatasetDirectory {
  func names() -> [String] { catalog.list() }

  func summary(_ name: String) throws -> DatasetSummary {
    let description = try catalog.describe(name)
    return DatasetSummary(
      name: description.name, classes: description.classes, counts: Self.counts(description.counts),
      shape: description.shape, mean: description.statistics.mean, std: description.statistics.std)
  }

  func imageCounts(_ name: String) throws -> [DatasetSelection.Split: Int] {
    let now = SystemClock.monotonicNanoseconds
    if let (counts, nanoseconds) = known.withLock({ $0[name] }), now < nanoseconds + Self.freshNanoseconds {
      return counts
    }
    let counts = Self.counts(try catalog.counts(name))
    known.withLock { $0[name] = (counts, now) }
    return counts
  }
}
