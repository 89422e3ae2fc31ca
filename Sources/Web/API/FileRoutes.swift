import HTTP
import JSONText
import JobStore
import Platform
import Recipe
import RunFolder
import Text

extension API {
  /// Lines that `?tail=` gives at most.
  static let tailLinesMax = 100_000
  /// Bytes at the end of a log in which these lines are looked for; longer lines lose their beginning.
  static let tailBytesMax = 8 << 20
  /// Checkpoints in one list at most, the newest.
  static let checkpointsListedMax = 10_000
  /// Times of files are coarse, so a list of them counts no longer than this without another look.
  static let checkpointsKeptMilliseconds = 1_000

  /// `GET /jobs/{id}/log`: what the worker wrote for people; nothing if it has not begun.
  @Sendable
  func getLog(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    let tail = query.integer("tail", 1...Self.tailLinesMax)
    try query.finish()
    let record = try record(request)
    let path = RunFolder(data: data, job: record.id).logPath
    guard let found = try confined(path) else { return Self.log(at: path, from: 0, to: 0) }
    let (file, size) = (found.file, found.identity.bytes)
    guard let tail else { return Self.log(at: path, from: 0, to: size) }
    return try computed(.tail(record.id, lines: tail), stamp: "\(found.identity)") {
      Self.log(at: path, from: try Self.offset(ofLast: tail, in: file, size: size), to: size)
    }
  }

  private static func log(at path: String, from start: Int, to end: Int) -> Response {
    var response = Response(contentType: "text/plain; charset=utf-8", bytes: [])
    response.headers.add("Cache-Control", "no-cache")
    if start < end { response.body = .file(path: path, offset: start, count: end - start) }
    return response
  }

  /// Where the last lines begin, at most `tailBytesMax` before the end; a last line without its newline
  /// counts.
  private static func offset(ofLast lines: Int, in file: File, size: Int) throws -> Int {
    let pieceBytes = 65_536
    let first = max(0, size - tailBytesMax)
    var newlines = 0
    var end = size
    while end > first {
      let start = max(first, end - pieceBytes)
      let piece = try file.read(at: start, countMax: end - start)
      for index in piece.indices.reversed()
      where piece[index] == UInt8(ascii: "\n") && start + index + 1 < size {
        newlines += 1
        if newlines == lines { return start + index + 1 }
      }
      end = start
    }
    return first
  }

  /// A file of the data folder, unless a link leads out of that.
  func confined(_ path: String) throws -> ConfinedFile? {
    ConfinedFile(
      root: try FileSystem.resolve(data), relativePath: ByteString(path).dropFirst(data.utf8.count + 1).string
    )
  }

  /// `GET /jobs/{id}/checkpoints`, oldest first.
  @Sendable
  func listCheckpoints(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let record = try record(request)
    let (store, id) = (store, record.id)
    let folder = RunFolder(data: data, job: id).checkpoints
    let identity = FileIdentity(path: folder.path).map { "\($0)" } ?? "none"
    return try computed(
      .checkpoints(id), stamp: "\(record.revision) \(identity)",
      keptMilliseconds: Self.checkpointsKeptMilliseconds
    ) {
      let reported = try store.checkpoints(id).map { ($0.name, $0.createdAtMilliseconds) }
      let times = Dictionary(reported, uniquingKeysWith: { $1 })
      let manifests = try folder.list(newestMax: Self.checkpointsListedMax)
      let best = best(of: manifests, record)
      let list = manifests.map { manifest -> JSON in
        [
          "name": .string(manifest.name), "step": .integer(manifest.step), "epoch": .integer(manifest.epoch),
          "bytes": .integer(manifest.bytes), "sha256": .string(manifest.sha256),
          "created_at": .optional(times[manifest.name].map { SystemClock.rfc3339(unixMilliseconds: $0) }),
          "is_best": .bool(manifest == best),
        ]
      }
      return Response.json(["checkpoints": .array(list)]).tagged
    }
  }

  /// The best of a training's checkpoints by its `keep_best`; `nil`: it keeps none, or none has the metric.
  func best(of manifests: [CheckpointManifest], _ record: JobRecord) -> CheckpointManifest? {
    guard let keepBest = keepBest(of: record) else { return nil }
    return CheckpointFolder.ranked(manifests, isHighestBest: keepBest.isHighestBest).first
  }

  /// `GET /jobs/{id}/checkpoints/last` and `…/best`: 302 to the checkpoint that this is now.
  private func redirect(
    to choice: CheckpointReference.Choice, _ record: JobRecord, _ folder: CheckpointFolder
  ) throws -> Response {
    let manifest: CheckpointManifest?
    if choice == .last {
      manifest = try folder.list(newestMax: 1).last
    } else {
      guard keepBest(of: record) != nil else {
        throw Problem(
          status: 404,
          detail: "job \(record.id) has no best checkpoint: it is not a training with checkpoint.keep_best.")
      }
      manifest = best(of: try folder.list(newestMax: Self.checkpointsListedMax), record)
    }
    guard let manifest else {
      throw Problem(
        status: 404, detail: "job \(record.id) has no \(choice == .last ? "last" : "best") checkpoint yet.")
    }
    var response = Response(status: 302)
    response.headers.add("Location", "/jobs/\(record.id)/checkpoints/\(manifest.name)")
    response.headers.add("Cache-Control", "no-store")
    return response
  }

  /// `GET /jobs/{id}/checkpoints/{name}`: the file as it is; ranges resume a broken download.
  @Sendable
  func getCheckpoint(_ request: Request) throws -> Response {
    var query = QueryReader(request)
    try query.finish()
    let record = try record(request)
    let folder = RunFolder(data: data, job: record.id).checkpoints
    let name = request.parameters["name"] ?? ""
    let choice = CheckpointReference.Choice(name)
    if choice.waitsForEnd { return try redirect(to: choice, record, folder) }
    // Checkpoints have names of ASCII; what is not one is not looked for.
    let isName = name.count <= 255 && name.bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    guard isName, let manifest = folder.manifest(of: name.string),
      let found = try confined(folder.path(of: name.string))
    else {
      let known = try folder.list(newestMax: 8).map(\.name).joined(separator: ", ")
      let hint = known.isEmpty ? "it has none yet" : "there are \(known)"
      throw Problem(status: 404, detail: "job \(record.id) has no checkpoint \(name.shown); \(hint).")
    }
    return file(
      folder.path(of: manifest.name), name: manifest.name, mediaType: "application/gzip",
      bytes: manifest.bytes, sha256: manifest.sha256, modified: found.identity.modified)
  }
}

/// Hexadecimal digits as base 64 of the same bytes (RFC 4648, section 4), for `Repr-Digest` (RFC 9530).
func base64(hexadecimal: String) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  let bits = hexadecimal.compactMap(\.hexDigitValue).flatMap { digit in
    [digit >> 3 & 1, digit >> 2 & 1, digit >> 1 & 1, digit & 1]
  }
  var text = ""
  for start in stride(from: 0, to: bits.count, by: 6) {
    let group = (0..<6).map { start + $0 < bits.count ? bits[start + $0] : 0 }
    text.append(alphabet[group.reduce(0) { $0 << 1 | $1 }])
  }
  return text + String(repeating: "=", count: (4 - text.count % 4) % 4)
}
