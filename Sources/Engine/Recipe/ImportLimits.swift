import JSONText

/// What an import may take at most. Each limit has a name, a default and a range; an error over one names it.
package struct ImportLimits: JSONRecord, Hashable {
  /// Bytes of all files together, unpacked.
  package var bytes: Int
  /// Files and folders of the archive or below the folder.
  package var entries: Int
  /// Bytes of one image's file.
  package var imageBytes: Int
  /// Pixels of one image, height times width, before it is resized.
  package var pixels: Int
  /// Names of one path, the file's own included.
  package var nesting: Int
  /// Bytes that come out of one byte of an archive, once more than `ratioFreeBytes` have come out.
  package var ratio: Int

  /// Bytes that an archive may unpack to whatever its own size is.
  package static let ratioFreeBytes = 64 << 20

  package init(
    bytes: Int = 1 << 40, entries: Int = 10_000_000, imageBytes: Int = 256 << 20, pixels: Int = 100_000_000,
    nesting: Int = 32, ratio: Int = 200
  ) {
    self.bytes = bytes
    self.entries = entries
    self.imageBytes = imageBytes
    self.pixels = pixels
    self.nesting = nesting
    self.ratio = ratio
  }

  package static let fields = Fields<Self> {
    Field("bytes", \.bytes, .integer(1...(1 << 46)), "Bytes of all files together, unpacked.")
    Field(
      "entries", \.entries, .integer(1...100_000_000),
      "Files and folders of the archive or below the folder.")
    Field("image_bytes", \.imageBytes, .integer(1...(1 << 31)), "Bytes of one image's file.")
    Field(
      "pixels", \.pixels, .integer(1...1_000_000_000),
      "Pixels of one image, height times width, before it is resized.")
    Field("nesting", \.nesting, .integer(1...255), "Names of one path, the file's own included.")
    Field(
      "ratio", \.ratio, .integer(1...100_000),
      "Bytes that come out of one byte of an archive, once more than \(ratioFreeBytes >> 20) MiB have.")
  }
}
