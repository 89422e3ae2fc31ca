import Datasets
import Images
import Recipe
import Text

/// Writes the images of files of numbers, scaled to the side asked for.
struct ArrayImport {
  private let session: ImportSession

  init(_ session: ImportSession) { self.session = session }

  /// Reads all files and writes the dataset.
  ///
  /// - Throws: as `EntryImport.run`.
  func run(_ files: [ArrayFile]) throws -> PackedDataset {
    let collection = try ArrayCollection(files, below: session.roots)
    for file in collection.unused { session.skip(file.path.text.string, file.reason) }
    guard collection.count > 0 else {
      throw ImportError.noImages(skipped: session.skipped.listed, count: session.skipped.count)
    }
    try session.countEntry(collection.count)
    let splits = collection.splits(session.specification)
    guard splits.contains(where: { $0.contains(.train) }) else { throw ImportError.noTrainingImages }
    try checkLabels(collection.parts, splits)
    let writer = try PackedWriter(
      folder: session.packedFolder, side: session.specification.side, planes: collection.planes,
      classes: collection.classes?.map(\.string))
    for (part, places) in zip(collection.parts, splits) {
      try write(part, places, planes: collection.planes, writer)
    }
    return try session.finish(writer)
  }

  /// Either all images of a split have labels, or none.
  private func checkLabels(
    _ parts: [ArrayCollection.Part], _ splits: [[DatasetSelection.Split]]
  ) throws(ImportError) {
    for split in DatasetSelection.Split.allCases {
      let used = zip(parts, splits).filter { $0.1.contains(split) }.map(\.0)
      guard let bare = used.first(where: { $0.labels == nil }), used.contains(where: { $0.labels != nil })
      else {
        continue
      }
      throw .array(file: bare.images.name, problem: "has no labels, and other images of its split do")
    }
  }

  private func write(
    _ part: ArrayCollection.Part, _ splits: [DatasetSelection.Split], planes: Int, _ writer: PackedWriter
  ) throws {
    let area = part.images.height * part.images.width
    guard area <= session.specification.limits.pixels else {
      let limit = session.specification.limits.pixels
      throw ImportError.limit(
        name: "pixels", allowed: limit, what: "\(part.images.name) has images of \(area) pixels")
    }
    let batchMax = max(1, min(session.pool.batchCount, DecodingPool.batchBytes / (3 * area)))
    var index = 0
    while index < part.images.count {
      var inputs: [DecodingPool.Input] = []
      while inputs.count < batchMax, let next = try part.images.take() { inputs.append(.bitmap(next.image)) }
      session.countBytes(inputs.count * area * part.images.channels)
      guard session.progress.bytes <= session.specification.limits.bytes else {
        throw ImportError.limit(
          name: "bytes", allowed: session.specification.limits.bytes, what: "the files have more bytes")
      }
      for output in session.pool.decode(inputs) {
        let image = try output.get()
        let bytes = image.count == planes ? image.bytes : image.bytes + image.bytes + image.bytes
        try writer.append(
          bytes, label: part.labels?[index], path: ByteString("\(part.images.name)#\(index)"),
          to: splits[index])
        index += 1
      }
      try session.countImages(inputs.count)
      try session.checkStop()
    }
    // At the end nothing may follow.
    _ = try part.images.take()
  }
}
