import HTTP
import JobStore
import Platform
import Recipe

/// Takes an uploaded file into the data folder as it comes. Unless it is kept, it is removed with the last
/// reference.
final class UploadSink<Content: Sendable>: BodySink {
  let id: JobID
  /// What the request's head says of the file.
  let content: Content
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
  private static var bytesPerCheck: Int { 16 << 20 }

  /// - Parameters:
  ///   - id: of what is made of the file.
  ///   - content: what the request's head says of it.
  ///   - path: where the file will lie; nothing must be there.
  ///   - room: why no more can be taken; nil: it can.
  /// - Throws: `SystemError`.
  init(
    id: JobID, _ content: Content, path: String, room: @escaping @Sendable () -> Problem?
  ) throws {
    self.id = id
    self.content = content
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

  /// Makes the file durable under its name.
  func sync() throws(SystemError) {
    try file.sync()
    try FileSystem.syncDirectory(FileSystem.parent(of: path))
  }

  /// Removes the file at once.
  func discard() {
    state.isKept = true
    // What cannot be removed is swept away when the daemon starts.
    try? FileSystem.remove(path)
  }

  /// The file is needed from now on.
  func keep() { state.isKept = true }
}

extension API {
  /// Whether the content of a request, as far as its head tells, fits on the data folder's device.
  ///
  /// - Throws: 507.
  func checkRoom(for request: Request) throws {
    if let refusal = control.refusal { throw Problem(status: 507, detail: "\(refusal).") }
    guard let bytes = request.headers["Content-Length"]?.integer else { return }
    let free = try FileSystem.freeBytes(data)
    guard bytes < free else {
      throw Problem(
        status: 507,
        detail: "The file has \(bytes) bytes, and \(free) are free on the data folder's device.")
    }
  }
}
