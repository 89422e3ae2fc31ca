import Crypto
import JobModel
import Platform

/// What a checkpoint's `.json` file says about the file of the same stem.
package struct CheckpointManifest: Sendable, Equatable {
  /// File name, `step-00001960.safetensors.gz`.
  package var name: String
  /// Optimiser steps done.
  package var step: Int
  /// Epochs done, whole ones.
  package var epoch: Int
  /// Size of the compressed file.
  package var bytes: Int
  /// Of the compressed file, in hexadecimal.
  package var sha256: String

  package init(name: String, step: Int, epoch: Int, bytes: Int, sha256: String) {
    self.name = name
    self.step = step
    self.epoch = epoch
    self.bytes = bytes
    self.sha256 = sha256
  }
}

/// The checkpoints of one run. A checkpoint exists when both its file and its manifest do.
///
/// The file is made durable before the manifest and removed after it, so that a death in between leaves no
/// checkpoint, never half of one.
package struct CheckpointFolder: Sendable {
  package let path: String

  /// Names a folder; nothing is touched.
  package init(_ path: String) { self.path = path }

  /// `step-00001960.safetensors.gz`.
  package static func name(step: Int) -> String {
    let digits = String(step)
    return "step-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits)\(suffix)"
  }

  /// Path of a checkpoint's file.
  package func path(of name: String) -> String { "\(path)/\(name)" }

  /// Stores a checkpoint, durable when this returns, in place of an earlier one of the same step.
  ///
  /// - Parameter write: hands the compressed bytes over, piece by piece.
  package func store(
    step: Int, epoch: Int, write: (_ piece: ([UInt8]) throws -> Void) throws -> Void
  ) throws -> CheckpointManifest {
    let name = CheckpointFolder.name(step: step)
    let file = try AtomicFile(path(of: name))
    let hash = SHA256()
    var bytes = 0
    try write { piece in
      try file.write(piece)
      hash.update(piece)
      bytes += piece.count
    }
    let manifest = CheckpointManifest(
      name: name, step: step, epoch: epoch, bytes: bytes, sha256: hexadecimal(hash.finish()))
    try FileSystem.remove(manifestPath(of: name))
    try file.commit()
    try AtomicFile.write(manifest.json.utf8, to: manifestPath(of: name))
    return manifest
  }

  /// The checkpoints by step, oldest first. What has no readable manifest or another size than it says is
  /// left out.
  package func list() throws(SystemError) -> [CheckpointManifest] {
    guard FileSystem.isDirectory(path) else { return [] }
    var found: [CheckpointManifest] = []
    for name in try FileSystem.list(path) where name.hasSuffix(CheckpointFolder.suffix) {
      if let manifest = manifest(of: name) { found.append(manifest) }
    }
    return found.sorted { $0.step < $1.step }
  }

  /// A checkpoint by its name; `nil` if there is none.
  package func manifest(of name: String) -> CheckpointManifest? {
    guard name.hasSuffix(CheckpointFolder.suffix), !name.contains("/") else { return nil }
    // An unreadable manifest and a missing file both mean that this is no checkpoint.
    guard let text = try? File(manifestPath(of: name), .read).readAll(),
      let json = try? JSON.parse(text), let manifest = CheckpointManifest(json: json), manifest.name == name,
      (try? FileSystem.size(path(of: name))) == manifest.bytes
    else { return nil }
    return manifest
  }

  /// Whether the file has the digest that its manifest says. Reads the whole file.
  package func isIntact(_ manifest: CheckpointManifest) throws(SystemError) -> Bool {
    let file = try File(path(of: manifest.name), .read)
    let hash = SHA256()
    var offset = 0
    while true {
      let piece = try file.read(at: offset, countMax: 1 << 20)
      if piece.isEmpty { break }
      hash.update(piece)
      offset += piece.count
    }
    return hexadecimal(hash.finish()) == manifest.sha256
  }

  /// The newest checkpoint that is intact; damaged ones are set aside as `<name>.damaged` and told.
  package func newestIntact(
    damaged: (CheckpointManifest) -> Void
  ) throws(SystemError) -> CheckpointManifest? {
    for manifest in try list().reversed() {
      if try isIntact(manifest) { return manifest }
      try FileSystem.remove(manifestPath(of: manifest.name))
      try FileSystem.rename(path(of: manifest.name), to: path(of: manifest.name) + ".damaged")
      damaged(manifest)
    }
    return nil
  }

  /// Removes all but the newest few, at least one; step 0 stays when the job asked for it.
  ///
  /// - Returns: the names that are gone.
  @discardableResult
  package func retain(newest count: Int, keepInitial: Bool) throws(SystemError) -> [String] {
    let all = try list()
    var removed: [String] = []
    for manifest in all.dropLast(max(1, count)) where !(keepInitial && manifest.step == 0) {
      try FileSystem.remove(manifestPath(of: manifest.name))
      try FileSystem.remove(path(of: manifest.name))
      removed.append(manifest.name)
    }
    return removed
  }

  private func manifestPath(of name: String) -> String {
    "\(path)/\(name.dropLast(CheckpointFolder.suffix.count)).json"
  }

  private static let suffix = ".safetensors.gz"
}
