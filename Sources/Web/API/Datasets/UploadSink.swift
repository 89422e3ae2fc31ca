import HTTP
import JobStore
import Platform
import Recipe

/// Takes an uploaded archive into the data folder as it comes. Unless it is kept, it is removed with the last
/// reference.
final class UploadSink: BodySink {
  let id: JobID
  let specification: ImportSpecification
  let path: String
  private let file: File
  private let room: @Sendable () -> Problem?
  /// Of the bytes written; used by one thread at a time, as the calls are.
  private let state = SinkState()

  // Unchecked because a sink is called by one thread at a time.
  private final class SinkState: @unchecked Sendable {
    var bytes = 0
    var checkedBytes = 0
    var isKept = false
  }

  /// Bytes after which is looked again whether there is room for more.
  private static let bytesPerCheck = 16 << 20

  /// - Parameters:
  ///   - id: of the import job that there will be.
  ///   - path: where the archive will lie; nothing must be there.
  ///   - room: why no more can be taken; nil: it can.
  /// - Throws: `SystemError`.
  init(
    id: JobID, _ specification: ImportSpecification, path: String, room: @escaping @Sendable () -> Problem?
  ) throws {
    self.id = id
    self.specification = specification
    self.path = path
    self.room = room
    file = try File(path, .createNew, links: .refused)
  }

  deinit {
    // What cannot be removed is swept away when the daemon starts.
    if !state.isKept { try? FileSystem.remove(path) }
  }

  /// Bytes that have come.
  var bytes: Int { state.bytes }

  func write(_ bytes: [UInt8]) throws {
    if state.bytes - state.checkedBytes >= Self.bytesPerCheck {
      if let problem = room() { throw problem }
      state.checkedBytes = state.bytes
    }
    do throws(SystemError) {
      try file.write(bytes)
    } catch {
      throw API.problem(for: error)
    }
    state.bytes += bytes.count
  }

  /// Makes the archive durable under its name.
  func sync() throws(SystemError) {
    try file.sync()
    try FileSystem.syncDirectory(FileSystem.parent(of: path))
  }

  /// The archive is needed from now on.
  func keep() { state.isKept = true }
}
