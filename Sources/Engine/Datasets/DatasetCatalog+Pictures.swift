import Recipe

/// Stored images of a dataset.
package struct StoredImages: Sendable, Equatable {
  /// Height and width in pixels.
  package let side: Int
  /// 1 (grey) or 3 (red, green, blue).
  package let planes: Int
  /// Of each image `[planes][side][side]`.
  package let images: [[UInt8]]

  package init(side: Int, planes: Int, images: [[UInt8]]) {
    self.side = side
    self.planes = planes
    self.images = images
  }
}

extension DatasetCatalog {
  /// The stored images of a split that a choice names; none where it names none.
  ///
  /// Reads the files up to the last of them, without comparing digests.
  package func images(
    _ name: String, _ split: DatasetSelection.Split, _ choice: PictureChoice
  ) throws(DatasetError) -> StoredImages {
    if try packed(name) != nil {
      let dataset = try open(name, split: split)
      let places = choice.indices(imageCount: dataset.count) { dataset.labels ?? [] }
      return StoredImages(
        side: dataset.side, planes: dataset.planes,
        images: places.map { place in
          dataset.images.withImage(place) { image in image.indices.map { image[$0] } }
        })
    }
    let source = try source(name)
    let layout = try source.layout()
    let places = try choice.indices(imageCount: layout.counts[split] ?? 0) {
      () throws(DatasetError) in try source.labels(split)
    }
    return StoredImages(
      side: layout.side, planes: layout.planes, images: try source.images(split, at: places))
  }
}
