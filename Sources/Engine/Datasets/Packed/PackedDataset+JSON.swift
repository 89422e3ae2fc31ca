import JSONText
import Platform
import Recipe
import Text

extension PackedDataset {
  /// As `dataset.json` has it, which `init(json:)` reads back as an equal value.
  package var json: JSON {
    let parts = splits.sorted { $0.key.rawValue < $1.key.rawValue }
    let classCounts = parts.compactMap { name, split in
      split.classCounts.map { (ByteString(name.rawValue), JSON.array($0.map(JSON.integer))) }
    }
    return [
      "format": .integer(PackedFormat.version), "name": .string(name),
      "classes": classes.map { .array($0.map(JSON.string)) } ?? .null,
      "counts": .object(
        Dictionary(
          uniqueKeysWithValues: parts.map { (ByteString($0.key.rawValue), .integer($0.value.count)) })),
      "class_counts": classes == nil ? .null : .object(Dictionary(uniqueKeysWithValues: classCounts)),
      "shape": [3, .integer(side), .integer(side)], "channels": .integer(planes),
      "mean": .array(statistics.mean.map(JSON.number)), "std": .array(statistics.std.map(JSON.number)),
      "fingerprint": fingerprint.json, "bytes": .integer(bytes),
      "skipped": .array(skipped.map { ["path": .string($0.path), "reason": .string($0.reason)] }),
      "skipped_count": .integer(skippedCount), "source": .string(source),
      "files": .object(
        Dictionary(uniqueKeysWithValues: parts.map { (ByteString($0.key.rawValue), $0.value.filesJSON) })),
    ]
  }

  /// Reads what `json` wrote.
  ///
  /// - Throws: `Unfit` for anything else.
  init(json: JSON) throws(Unfit) {
    guard json["format"]?.int == PackedFormat.version else {
      throw Unfit(member: "format, which must be \(PackedFormat.version)")
    }
    let shape = try (Unfit.members(json, "shape") { $0.int(in: 1...4096) })
    guard shape.count == 3, shape[0] == 3, shape[1] == shape[2] else { throw Unfit(member: "shape") }
    let planes = try Unfit.member(json, "channels") { $0.int }
    guard planes == 1 || planes == 3 else { throw Unfit(member: "channels") }
    let mean = try Unfit.members(json, "mean", \.double)
    let std = try Unfit.members(json, "std", \.double)
    guard mean.count == 3, std.count == 3, std.allSatisfy({ $0 > 0 }) else {
      throw Unfit(member: "mean and std")
    }
    let isUnlabelled = json["classes"]?.isNull == true
    let classes: [ByteString]? = isUnlabelled ? nil : try Unfit.members(json, "classes", \.string)
    let fingerprint = try Unfit.member(json, "fingerprint") { DatasetFingerprint(json: $0) }
    var splits: [DatasetSelection.Split: Split] = [:]
    for (name, digests) in fingerprint.splits {
      splits[name] = try Split(json, name, digests, classCount: classes?.count ?? 0)
    }
    let skipped = try Unfit.members(json, "skipped") { file in
      if let path = file["path"]?.string, let reason = file["reason"]?.string {
        return SkippedFile(path: path.string, reason: reason.string)
      }
      return nil
    }
    self.init(
      name: try Unfit.member(json, "name", \.string).string, classes: classes?.map(\.string), splits: splits,
      side: shape[1], planes: planes, statistics: ChannelStatistics(mean: mean, std: std),
      bytes: try Unfit.member(json, "bytes") { $0.int(in: 0...JSON.exactIntegerMax) }, skipped: skipped,
      skippedCount: try Unfit.member(json, "skipped_count") { $0.int(in: 0...JSON.exactIntegerMax) },
      source: try Unfit.member(json, "source", \.string).string)
  }

  /// A member of `dataset.json` that is missing, or is not what it must be.
  struct Unfit: Error, CustomStringConvertible {
    let member: String

    var description: String { "a wrong or missing member: \(member)" }

    /// A member that a closure understands.
    fileprivate static func member<Value>(
      _ json: JSON, _ key: ByteString, _ read: (JSON) -> Value?
    ) throws(Unfit) -> Value {
      guard let value = json[key].flatMap(read) else { throw Unfit(member: key.string) }
      return value
    }

    /// An array whose elements a closure understands.
    fileprivate static func members<Value>(
      _ json: JSON, _ key: ByteString, _ read: (JSON) -> Value?
    ) throws(Unfit) -> [Value] {
      let elements = try member(json, key, \.array)
      let values = elements.compactMap(read)
      guard values.count == elements.count else { throw Unfit(member: key.string) }
      return values
    }
  }
}

extension PackedDataset.Split {
  /// The split of that name; its file of labels, where it has one, has a count for each class.
  fileprivate init(
    _ json: JSON, _ name: DatasetSelection.Split, _ digests: DatasetFingerprint.Split, classCount: Int
  ) throws(PackedDataset.Unfit) {
    let key = ByteString(name.rawValue)
    let files = try PackedDataset.Unfit.member(json, "files") { $0[key] }
    var stamps: [PackedFormat.Part: PackedDataset.FileStamp] = [:]
    for part in PackedFormat.Part.allCases {
      guard let file = files[ByteString(part.rawValue)] else {
        if part == .labels { continue }
        throw PackedDataset.Unfit(member: "files of \(key)")
      }
      guard let stamp = PackedDataset.FileStamp(file) else {
        throw PackedDataset.Unfit(member: "files of \(key)")
      }
      stamps[part] = stamp
    }
    let counts = json["class_counts"]?[key]?.array?.compactMap { $0.int(in: 0...DatasetLimit.imagesMax) }
    guard (counts != nil) == (stamps[.labels] != nil), counts.map({ $0.count == classCount }) ?? true,
      (0...DatasetLimit.imagesMax).contains(digests.images),
      let pathsDigest = files[PackedFormat.Part.paths.rawValue.key]?["sha256"]?.string
    else { throw PackedDataset.Unfit(member: "class_counts or files of \(key)") }
    self.init(
      count: digests.images, classCounts: counts,
      digest: SplitDigest(pixels: digests.pixels.string, labels: digests.labels.string),
      pathsDigest: pathsDigest.string, files: stamps)
  }

  fileprivate var filesJSON: JSON {
    var members: [ByteString: JSON] = [:]
    for (part, stamp) in files {
      var file = stamp.json
      if part == .paths { file["sha256"] = .string(pathsDigest) }
      members[part.rawValue.key] = .object(file)
    }
    return .object(members)
  }
}

extension String {
  fileprivate var key: ByteString { ByteString(self) }
}

extension PackedDataset.FileStamp {
  /// Numbers that may be beyond what every reader of JSON keeps exactly are texts.
  fileprivate var json: [ByteString: JSON] {
    [
      "bytes": .integer(bytes), "inode": .string("\(inode)"),
      "modified": [.integer(modified.unixSeconds), .integer(modified.nanoseconds)],
    ]
  }

  fileprivate init?(_ json: JSON) {
    guard let bytes = json["bytes"]?.int(in: 0...JSON.exactIntegerMax),
      let inode = json["inode"]?.string.flatMap({ UInt64($0.string) }),
      let modified = json["modified"]?.array?.compactMap(\.int), modified.count == 2
    else { return nil }
    self.init(
      bytes: bytes, inode: inode, modified: FileTime(unixSeconds: modified[0], nanoseconds: modified[1]))
  }
}
