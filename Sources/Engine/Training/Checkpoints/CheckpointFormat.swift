import Gzip
import JSONText
import Platform

/// How a tensor file lies on disk: safetensors inside gzip members, one for each so many bytes.
package enum CheckpointFormat {
  /// Written into each file; a reader refuses every other one.
  package static let version = "1"
  /// Trained weights are noise to a compressor: its fastest level saves nearly as much as its slowest.
  private static let level = 1
  /// Bytes of the tensor file in one member. Members begin at multiples of it, whoever compresses them, so
  /// that the file does not depend on the number of threads.
  private static let memberBytes = 4 << 20

  /// Passes the bytes of the compressed file to `sink`, in order. Equal files give equal bytes.
  ///
  /// - Parameter threads: members that are compressed at the same time, ≥ 1.
  package static func write(
    _ file: TensorFile, threads: Int = 1, to sink: ([UInt8]) throws -> Void
  ) throws {
    try write(
      metadata: file.metadata, file.tensors.map { TensorSource($0.key, $0.value) }, threads: threads, to: sink
    )
  }

  /// The same of tensors that are read where they lie, piece by piece.
  static func write(
    metadata: [String: String], _ tensors: [TensorSource], threads: Int, to sink: ([UInt8]) throws -> Void
  ) throws {
    var full: [[UInt8]] = []
    var member: [UInt8] = []
    try SafetensorsWriter.write(metadata: metadata, tensors) { piece in
      var rest = piece[...]
      while !rest.isEmpty {
        let taken = rest.prefix(memberBytes - member.count)
        member += taken
        rest = rest.dropFirst(taken.count)
        guard member.count == memberBytes else { continue }
        full.append(member)
        member = []
        if full.count == threads {
          try compress(full, to: sink)
          full = []
        }
      }
    }
    if !member.isEmpty { full.append(member) }
    try compress(full, to: sink)
  }

  /// Compresses each member by a thread of its own, the first by this one, and passes them on in order.
  private static func compress(_ members: [[UInt8]], to sink: ([UInt8]) throws -> Void) throws {
    let others = try members.dropFirst().map { try MemberCompression(of: $0, level: level) }
    if let first = members.first { try sink(Gzip.compress(first, level: level)) }
    for other in others { try sink(other.finish()) }
  }

  /// Reads the compressed file at `path`.
  ///
  /// - Parameter isKept: whether the tensor of that name is wanted; others are passed over.
  /// - Throws: `CheckpointError.unreadable`, with the words of `GzipError` or `SafetensorsError`.
  package static func read(
    path: String, keeping isKept: (String) -> Bool = { _ in true }
  ) throws(CheckpointError) -> TensorFile {
    do {
      let reader = try GzipFileReader(path: path)
      return try SafetensorsReader.read(from: { try reader.read(upTo: $0) }, keeping: isKept)
    } catch {
      throw .unreadable(path: path, "\(error)")
    }
  }
}

/// Looks entries of a file's metadata up and refuses what is not there or not of the right kind.
struct CheckpointMetadata {
  let entries: [String: String]

  /// Checks the version, which every file of ours has.
  init(_ entries: [String: String]) throws(CheckpointError) {
    self.entries = entries
    let version = try text("version")
    guard version == CheckpointFormat.version else { throw .version(version) }
  }

  /// The text under `key`.
  func text(_ key: String) throws(CheckpointError) -> String {
    guard let text = entries[key] else { throw .metadata(key: key, "is missing") }
    return text
  }

  /// The integer under `key`, at least 0 and at most 2^53 or what is given.
  func natural(_ key: String, max: Int = JSON.exactIntegerMax) throws(CheckpointError) -> Int {
    let text = try text(key)
    guard let number = Int(text), (0...max).contains(number) else {
      throw .metadata(key: key, "is \"\(text)\", must be a whole number from 0 to \(max)")
    }
    return number
  }

  /// The number under `key`.
  func number(_ key: String) throws(CheckpointError) -> Double {
    let text = try text(key)
    guard let number = Double(text) else { throw .metadata(key: key, "is \"\(text)\", not a number") }
    return number
  }
}

/// A member that a thread of its own compresses.
private struct MemberCompression {
  /// Sendable because the thread alone touches `bytes` until it has ended.
  private final class Result: @unchecked Sendable {
    var bytes: [UInt8] = []
  }

  private let result: Result
  private let thread: Thread

  init(of member: [UInt8], level: Int) throws(SystemError) {
    let result = Result()
    self.result = result
    thread = try Thread(name: "compress") { result.bytes = Gzip.compress(member, level: level) }
  }

  /// Waits for the thread; call it once.
  func finish() -> [UInt8] {
    thread.join()
    return result.bytes
  }
}
