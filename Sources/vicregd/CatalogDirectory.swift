import API
import Datasets
import JobModel

/// The data sets of this machine, as the API asks for them.
struct CatalogDirectory {
  let catalog: DatasetCatalog

  private static func counts(_ counts: [ImageDataset.Split: Int]) -> [DatasetSelection.Split: Int] {
    var renamed: [DatasetSelection.Split: Int] = [:]
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
    Self.counts(try catalog.counts(name))
  }
}
