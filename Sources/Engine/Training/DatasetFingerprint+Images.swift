import Datasets
import Recipe
import Text

extension DatasetFingerprint {
  /// That of a dataset of which some splits have been read, one of them at least.
  package init?(_ datasets: [ImageDataset]) {
    guard let first = datasets.first else { return nil }
    self.init(
      classes: first.classes.count, classNames: ByteString(digest(ofClasses: first.classes)),
      shape: [3, first.side, first.side], planes: first.planes, mean: first.statistics.mean,
      std: first.statistics.std, splits: [:])
    for name in DatasetSelection.Split.allCases {
      guard let whole = datasets.first(where: { $0.split == name })?.whole else {
        continue
      }
      splits[name] = Split(
        images: whole.count, pixels: ByteString(whole.digest.pixels), labels: ByteString(whole.digest.labels))
    }
  }
}
