import Crypto
import JSONText
import JobModel
import Platform

/// What an artifact's manifest says about the file.
package struct ArtifactManifest: Sendable, Equatable {
  /// File name, `confusion.json`.
  package var name: String
  /// As `Content-Type` has it, `application/json`.
  package var mediaType: String
  package var bytes: Int
  /// Of the file, in hexadecimal.
  package var sha256: String
  /// When it was written, in Unix milliseconds.
  package var createdAtMilliseconds: Int

  package init(name: String, mediaType: String, bytes: Int, sha256: String, createdAtMilliseconds: Int) {
    self.name = name
    self.mediaType = mediaType
    self.bytes = bytes
    self.sha256 = sha256
    self.createdAtMilliseconds = createdAtMilliseconds
  }

  /// Members in the order of lists and lines.
  package var members: [(String, JSON)] {
    [
      ("name", .string(name)), ("media_type", .string(mediaType)), ("bytes", .integer(bytes)),
      ("sha256", .string(sha256)),
      ("created_at", .string(SystemClock.rfc3339(unixMilliseconds: createdAtMilliseconds))),
    ]
  }

  /// As an object.
  package var json: JSON { .object(Dictionary(uniqueKeysWithValues: members)) }

  /// Reads a manifest or an `artifact` event; `nil` if a member is missing or is not what a worker writes.
  package init?(json: JSON) {
    guard let name = json["name"]?.string?.string, ArtifactFolder.isName(name),
      let mediaType = json["media_type"]?.string?.string, ArtifactFolder.isMediaType(mediaType),
      let bytes = json["bytes"]?.int(in: RecordedRange.bytes), let sha256 = json["sha256"]?.string?.string,
      CheckpointManifest.isDigest(sha256),
      let time = json["created_at"]?.string.flatMap({ SystemClock.unixMilliseconds(rfc3339: $0.bytes) })
    else { return nil }
    self.init(
      name: name, mediaType: mediaType, bytes: bytes, sha256: sha256, createdAtMilliseconds: time)
  }
}

/// What a run leaves besides figures and checkpoints: pictures, matrices, embeddings. An artifact exists when
/// both its file and its manifest, `NAME.manifest`, do.
package struct ArtifactFolder: Sendable {
  package let path: String

  /// Names a folder; nothing is touched.
  package init(_ path: String) { self.path = path }

  /// Where an artifact's file is.
  package func path(of name: String) -> String { "\(path)/\(name)" }

  /// Writes an artifact, durable when this returns; one of the same name is replaced.
  ///
  /// - Parameter write: passes the file's bytes to its argument, in order.
  package func store(
    _ name: String, mediaType: String, _ write: (_ sink: ([UInt8]) throws -> Void) throws -> Void
  ) throws -> ArtifactManifest {
    precondition(Self.isName(name) && Self.isMediaType(mediaType), "a worker chooses plain names")
    try FileSystem.makeDirectories(path)
    let file = try AtomicFile(path(of: name))
    let hash = SHA256()
    var bytes = 0
    try write { piece in
      try file.write(piece)
      hash.update(piece)
      bytes += piece.count
    }
    let manifest = ArtifactManifest(
      name: name, mediaType: mediaType, bytes: bytes, sha256: hexadecimal(hash.finish()),
      createdAtMilliseconds: SystemClock.unixMilliseconds)
    try FileSystem.remove(manifestPath(of: name))
    try file.commit()
    try AtomicFile.write(manifest.json.utf8, to: manifestPath(of: name))
    return manifest
  }

  /// The artifacts by name. What has no readable manifest or another size than it says is left out.
  package func list() throws(SystemError) -> [ArtifactManifest] {
    guard FileSystem.isDirectory(path) else { return [] }
    return try FileSystem.list(path).filter { !$0.hasSuffix(Self.suffix) }.sorted()
      .compactMap { manifest(of: $0) }
  }

  /// An artifact by its name; `nil` if there is none.
  package func manifest(of name: String) -> ArtifactManifest? {
    // An unreadable manifest and a missing file both mean that this is no artifact.
    guard Self.isName(name), let text = try? File.content(of: manifestPath(of: name), .artifactManifest),
      let json = try? JSON.parse(text), let manifest = ArtifactManifest(json: json),
      manifest.name.utf8.elementsEqual(name.utf8),
      FileSystem.regularFileSize(path(of: name)) == manifest.bytes
    else { return nil }
    return manifest
  }

  /// The manifests that do not say what the file of their name is, as one of the two is damaged or the file
  /// is missing; their paths.
  package func strayManifests() throws(SystemError) -> [String] {
    guard FileSystem.isDirectory(path) else { return [] }
    return try FileSystem.list(path).filter { $0.hasSuffix(Self.suffix) }.sorted()
      .filter { manifest(of: String($0.dropLast(Self.suffix.count))) == nil }.map { "\(path)/\($0)" }
      // One that was removed meanwhile is not damaged.
      .filter(FileSystem.exists)
  }

  private func manifestPath(of name: String) -> String { "\(path)/\(name)\(Self.suffix)" }

  /// How the names of manifests end.
  private static let suffix = ".manifest"

  /// Whether an artifact can be called so: letters, digits, `-`, `_` and `.`, no dot in front.
  static func isName(_ name: String) -> Bool {
    (1...100).contains(name.utf8.count) && !name.hasPrefix(".") && !name.hasSuffix(suffix)
      && name.utf8.allSatisfy(isPlain)
  }

  /// Whether a text is of the form `application/json`.
  static func isMediaType(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return text.utf8.count <= 100 && parts.count == 2
      && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "+") } }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
