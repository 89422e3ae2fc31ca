import Crypto
import JSONText
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
  /// The metric by which the best are kept, where that was asked for and the value was finite.
  package var metric: Double?

  package init(
    name: String, step: Int, epoch: Int, bytes: Int, sha256: String, metric: Double? = nil
  ) {
    self.name = name
    self.step = step
    self.epoch = epoch
    self.bytes = bytes
    self.sha256 = sha256
    self.metric = metric
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
  /// - Parameters:
  ///   - metric: what the best are kept by.
  ///   - write: hands the compressed bytes over, piece by piece.
  package func store(
    step: Int, epoch: Int, metric: Double? = nil, write: (_ piece: ([UInt8]) throws -> Void) throws -> Void
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
      name: name, step: step, epoch: epoch, bytes: bytes, sha256: hexadecimal(hash.finish()),
      metric: metric.flatMap { $0.isFinite ? $0 : nil })
    try FileSystem.remove(manifestPath(of: name))
    try file.commit()
    try AtomicFile.write(manifest.json.utf8, to: manifestPath(of: name))
    return manifest
  }

  /// The checkpoints by step, oldest first. What has no readable manifest or another size than it says is
  /// left out.
  ///
  /// - Parameter newestMax: at most this many, the newest; the manifests of older ones are not read.
  package func list(newestMax: Int = .max) throws(SystemError) -> [CheckpointManifest] {
    guard FileSystem.isDirectory(path) else { return [] }
    // Names of equal length sort by step; a longer one is of a later step.
    let names = try FileSystem.list(path).filter { $0.hasSuffix(CheckpointFolder.suffix) }.sorted {
      ($0.utf8.count, $0) > ($1.utf8.count, $1)
    }
    var found: [CheckpointManifest] = []
    for name in names.prefix(max(newestMax, CheckpointFolder.namesMin)) where found.count < newestMax {
      if let manifest = manifest(of: name) { found.append(manifest) }
    }
    return found.sorted { $0.step < $1.step }
  }

  /// Names that are looked at where only the newest checkpoint is wanted: most of them may be damaged.
  private static let namesMin = 1_000

  /// A checkpoint by its name; `nil` if there is none.
  package func manifest(of name: String) -> CheckpointManifest? {
    guard name.hasSuffix(CheckpointFolder.suffix), !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
    // An unreadable manifest and a missing file both mean that this is no checkpoint. The name goes into
    // header fields, so it is believed only in the one form that it is written in.
    guard let text = try? File.content(of: manifestPath(of: name), .checkpointManifest),
      let json = try? JSON.parse(text), let manifest = CheckpointManifest(json: json),
      CheckpointFolder.name(step: manifest.step).utf8.elementsEqual(name.utf8),
      manifest.name.utf8.elementsEqual(name.utf8),
      FileSystem.regularFileSize(path(of: name)) == manifest.bytes
    else { return nil }
    return manifest
  }

  /// Whether the file has the digest that its manifest says. Reads the whole file.
  package func isIntact(_ manifest: CheckpointManifest) throws(SystemError) -> Bool {
    try RunFolder.sha256(of: path(of: manifest.name)) == manifest.sha256
  }

  /// The newest checkpoint that is intact; damaged ones are set aside as `<name>.damaged` and told.
  package func newestIntact(
    damaged: (CheckpointManifest) -> Void
  ) throws(SystemError) -> CheckpointManifest? {
    for manifest in try list().reversed() {
      if try isIntact(manifest) { return manifest }
      try setAside(manifest)
      damaged(manifest)
    }
    return nil
  }

  /// Makes a damaged checkpoint one no longer: its file is `<name>.damaged` then.
  package func setAside(_ manifest: CheckpointManifest) throws(SystemError) {
    try FileSystem.remove(manifestPath(of: manifest.name))
    try FileSystem.rename(path(of: manifest.name), to: path(of: manifest.name) + ".damaged")
  }

  /// Which checkpoints stay when there are newer ones.
  package struct Retention: Sendable {
    /// The newest so many, ≥ 1.
    package var newest: Int
    /// Step 0.
    package var keepsInitial: Bool
    /// Those whose step is a multiple of this.
    package var everySteps: Int?
    /// Those with the best metric: how many, and whether the highest are the best.
    package var best: (count: Int, isHighest: Bool)?

    package init(
      newest: Int, keepsInitial: Bool = false, everySteps: Int? = nil,
      best: (count: Int, isHighest: Bool)? = nil
    ) {
      self.newest = newest
      self.keepsInitial = keepsInitial
      self.everySteps = everySteps
      self.best = best
    }

    /// The steps that stay, of checkpoints that stand oldest first. The newest is always among them.
    func steps(of all: [CheckpointManifest]) -> Set<Int> {
      var kept = Set(all.suffix(max(1, newest)).map(\.step))
      if keepsInitial { kept.insert(0) }
      if let everySteps { kept.formUnion(all.map(\.step).filter { $0 > 0 && $0 % everySteps == 0 }) }
      if let best {
        let ranked = CheckpointFolder.ranked(all, isHighestBest: best.isHighest)
        kept.formUnion(ranked.prefix(best.count).map(\.step))
      }
      return kept
    }
  }

  /// Checkpoints that have a metric, the best first. Of equals the older one is better, so that the choice
  /// does not change with what comes.
  package static func ranked(
    _ all: [CheckpointManifest], isHighestBest: Bool
  ) -> [CheckpointManifest] {
    let measured = all.compactMap { manifest in manifest.metric.map { (manifest, $0) } }
    return measured.sorted {
      $0.1 != $1.1 ? ($0.1 < $1.1) != isHighestBest : $0.0.step < $1.0.step
    }.map(\.0)
  }

  /// Gives a checkpoint of another folder a place in this one, durable when this returns: as a second name of
  /// the same file, or as a copy where the file system has no second names.
  ///
  /// - Returns: its manifest; `nil`: there is no such checkpoint, or no more.
  package func add(_ name: String, from other: CheckpointFolder) throws(SystemError) -> CheckpointManifest? {
    for _ in 0..<CheckpointFolder.addTriesMax {
      if let present = manifest(of: name) { return present }
      guard let source = other.manifest(of: name) else { return nil }
      // What an attempt left that was interrupted may be half of another checkpoint.
      try FileSystem.remove(manifestPath(of: name))
      try FileSystem.remove(path(of: name))
      do throws(SystemError) {
        try Self.link(other.path(of: name), to: path(of: name))
        try Self.link(other.manifestPath(of: name), to: manifestPath(of: name))
      } catch {
        // It was removed or replaced meanwhile.
        guard error.isNotFound else { throw error }
      }
      // A checkpoint that is replaced has no manifest for that time: equal ones belong to the file linked.
      if manifest(of: name) == source {
        try FileSystem.syncDirectory(path)
        return source
      }
    }
    return nil
  }

  /// A checkpoint is replaced once at most while a run resumes.
  private static let addTriesMax = 4

  private static func link(_ old: String, to new: String) throws(SystemError) {
    do throws(SystemError) {
      try FileSystem.link(old, to: new)
    } catch {
      guard error.isLinkRefused else { throw error }
      let (file, copy) = (try File(old, .read, links: .refused), try AtomicFile(new))
      var offset = 0
      while true {
        let piece = try file.read(at: offset, countMax: 1 << 20)
        if piece.isEmpty { break }
        try copy.write(piece)
        offset += piece.count
      }
      try copy.commit()
    }
  }

  /// Removes what the retention does not keep.
  ///
  /// - Returns: the names that are gone.
  @discardableResult
  package func retain(_ retention: Retention) throws(SystemError) -> [String] {
    let all = try list()
    let kept = retention.steps(of: all)
    var removed: [String] = []
    for manifest in all where !kept.contains(manifest.step) {
      try FileSystem.remove(manifestPath(of: manifest.name))
      try FileSystem.remove(path(of: manifest.name))
      removed.append(manifest.name)
    }
    return removed
  }

  /// The manifests that do not say what the file of their name is, as one of the two is damaged or the file
  /// is missing; their paths.
  package func strayManifests() throws(SystemError) -> [String] {
    guard FileSystem.isDirectory(path) else { return [] }
    return try FileSystem.list(path).filter { $0.hasSuffix(Self.manifestSuffix) }.sorted()
      .filter { manifest(of: $0.dropLast(Self.manifestSuffix.count) + Self.suffix) == nil }
      .map { "\(path)/\($0)" }
      // One that was removed meanwhile is not damaged.
      .filter(FileSystem.exists)
  }

  private func manifestPath(of name: String) -> String {
    "\(path)/\(name.dropLast(CheckpointFolder.suffix.count))\(Self.manifestSuffix)"
  }

  /// How the names of manifests end.
  private static let manifestSuffix = ".json"

  /// How the names of all tensor files of a run end.
  static let suffix = ".safetensors.gz"
}
