/// What a file of one kind may hold, and whether its last name may be a symbolic link.
///
/// Nothing is taken from a file on its own word: a larger one is refused before memory is taken for it.
package struct ReadLimit: Sendable, Equatable {
  /// What the file is called in errors.
  package let kind: String
  /// Bytes that are read at most; a file with more is refused.
  package let bytesMax: Int
  /// Whether a symbolic link is followed. What this program wrote itself is never one.
  package let links: File.Links

  private init(_ kind: String, bytesMax: Int, links: File.Links = .refused) {
    self.kind = kind
    self.bytesMax = bytesMax
    self.links = links
  }

  /// A checkpoint's `.json`; about 200 bytes.
  package static let checkpointManifest = ReadLimit("checkpoint manifest", bytesMax: 64 << 10)
  /// An artifact's manifest; about 200 bytes.
  package static let artifactManifest = ReadLimit("artifact manifest", bytesMax: 64 << 10)
  /// A training's `spectrum.json`; some hundred bytes for each dimension of the features.
  package static let spectrum = ReadLimit("spectrum", bytesMax: 64 << 20)
  /// A run's `spec.json`; about 2 KiB.
  package static let runSpecification = ReadLimit("run specification", bytesMax: 4 << 20)
  /// A run's `convolutions.json`; about 4 KiB.
  package static let convolutionRecord = ReadLimit("record of convolutions", bytesMax: 1 << 20)
  /// A run's `inputs.json`; about 600 bytes.
  package static let runInputs = ReadLimit("record of a run's inputs", bytesMax: 64 << 10)
  /// A packed dataset's `dataset.json`; about 4 KiB, and more with many classes or files left out.
  package static let packedDataset = ReadLimit("description of a packed dataset", bytesMax: 64 << 20)
  /// The lock file of a run or of the data folder; two short lines.
  package static let lock = ReadLimit("lock file", bytesMax: 4 << 10)
  /// The file of access tokens; about 200 bytes per token.
  package static let tokens = ReadLimit("token file", bytesMax: 1 << 20, links: .followed)
  /// A certificate with those above it, or a key, as PEM.
  package static let certificate = ReadLimit("certificate or key", bytesMax: 1 << 20, links: .followed)
  /// One of the database's migrations.
  package static let migration = ReadLimit("migration", bytesMax: 1 << 20, links: .followed)
  /// A file that the kernel makes up, below `/proc` or `/sys`. They have no size until they are read.
  package static let kernel = ReadLimit("kernel file", bytesMax: 64 << 10, links: .followed)
  /// A file of no particular kind.
  package static let other = ReadLimit("file", bytesMax: 64 << 20, links: .followed)
}
