import API
import Datasets
import Inspector
import JobStore
import Platform
import Recipe
import SharedWork

extension CatalogDirectory {
  /// Stored images of a packed dataset as PNG; `nil`: there are none. They are this program's own bytes, so
  /// that nothing is decoded here.
  func picture(
    folder: String, split: DatasetSelection.Split, _ choice: PictureChoice
  ) throws -> [UInt8]? {
    let dataset = try PackedDataset.read(folder: folder)
    let count = dataset.counts[split] ?? 0
    func file(_ part: PackedFormat.Part) throws(SystemError) -> File {
      try File("\(folder)/\(PackedFormat.fileName(split, part))", .read, links: .refused)
    }
    let indices = try choice.indices(imageCount: count) {
      let bytes = try file(.labels).read(at: 0, countMax: PackedFormat.labelBytes * count)
      return stride(from: 0, to: bytes.count, by: PackedFormat.labelBytes).map { start in
        bytes[start..<min(start + PackedFormat.labelBytes, bytes.count)].reversed()
          .reduce(0) { $0 << 8 | Int($1) }
      }
    }
    if indices.isEmpty { return nil }
    let images = try file(.images)
    let imageBytes = dataset.planes * dataset.side * dataset.side
    let found = try indices.map { try images.read(at: $0 * imageBytes, countMax: imageBytes) }
      .filter { $0.count == imageBytes }
    if found.isEmpty { return nil }
    return try StoredImages(side: dataset.side, planes: dataset.planes, images: found).sheet()
  }

  /// Images of a dataset that is built in or named by its path, drawn by a process of its own.
  func picture(
    name: String, split: DatasetSelection.Split, _ choice: PictureChoice
  ) -> Asked<PictureLook> {
    inspector.picture(name, split, choice).map { $0.mapError(\.refusal) }
  }
}

extension DatasetProblem {
  /// As the API knows it.
  var refusal: DatasetRefusal { DatasetRefusal(isAbsent: kind == .absent, description) }
}

extension DatasetRecord {
  /// The sizes of a dataset that is ready.
  var extent: DatasetExtent? {
    guard let summary, let side = summary.shape.last, let planes = summary.fingerprint?.planes else {
      return nil
    }
    return DatasetExtent(
      counts: summary.counts, classCount: summary.classes.count, side: side, planes: planes,
      isPacked: true)
  }
}
