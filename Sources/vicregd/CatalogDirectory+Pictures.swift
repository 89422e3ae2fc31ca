import API
import Datasets
import Images
import JobStore
import Platform
import Recipe

extension CatalogDirectory {
  /// A stored image of a packed dataset, or a sheet of some, as PNG; `nil`: there is none.
  func picture(
    folder: String, split: DatasetSelection.Split, _ choice: PictureChoice
  ) throws -> [UInt8]? {
    let dataset = try PackedDataset.read(folder: folder)
    let count = dataset.counts[split] ?? 0
    let pictures = PackedPictures(folder: folder, dataset, split)
    let indices: [Int]
    switch choice {
    case .one(let index): indices = index < count ? [index] : []
    case .sample(let wanted, let label): indices = try pictures.sample(wanted, label: label)
    }
    return indices.isEmpty ? nil : try pictures.sheet(indices)
  }
}

/// The stored images of one split of a packed dataset, as pictures. They are this program's own bytes, so
/// that nothing is decoded here.
private struct PackedPictures {
  let folder: String
  let dataset: PackedDataset
  let split: DatasetSelection.Split

  init(folder: String, _ dataset: PackedDataset, _ split: DatasetSelection.Split) {
    self.folder = folder
    self.dataset = dataset
    self.split = split
  }

  private func file(_ part: PackedFormat.Part) throws(SystemError) -> File {
    try File("\(folder)/\(PackedFormat.fileName(split, part))", .read, links: .refused)
  }

  /// So many images at equal distances, of one class or of all.
  func sample(_ wanted: Int, label: Int?) throws -> [Int] {
    let count = dataset.counts[split] ?? 0
    var all = Array(0..<count)
    if let label {
      let bytes = try file(.labels).read(at: 0, countMax: 4 * count)
      all = all.filter { index in
        guard bytes.count >= 4 * index + 4 else { return false }
        return (0..<4).reduce(0) { $0 | Int(bytes[4 * index + $1]) << (8 * $1) } == label
      }
    }
    let shown = min(wanted, all.count)
    return (0..<shown).map { all[$0 * all.count / shown] }
  }

  /// Images in rows of about as many as there are rows, white between them, as a PNG.
  func sheet(_ indices: [Int]) throws -> [UInt8] {
    let (side, planes) = (dataset.side, dataset.planes)
    let columns = min(indices.count, Int(Double(indices.count).squareRoot().rounded(.up)))
    let rows = (indices.count + columns - 1) / columns
    let gap = indices.count == 1 ? 0 : 2
    let (width, height) = (columns * (side + gap) - gap, rows * (side + gap) - gap)
    var pixels = [UInt8](repeating: 255, count: planes * width * height)
    let file = try file(.images)
    let area = side * side
    for (place, index) in indices.enumerated() {
      let image = try file.read(at: index * planes * area, countMax: planes * area)
      guard image.count == planes * area else { continue }
      let (left, top) = (place % columns * (side + gap), place / columns * (side + gap))
      for y in 0..<side {
        for x in 0..<side {
          for plane in 0..<planes {
            pixels[((top + y) * width + left + x) * planes + plane] = image[plane * area + y * side + x]
          }
        }
      }
    }
    return try encodePNG(pixels, width: width, height: height, channels: planes)
  }
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
