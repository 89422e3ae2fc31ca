import HTTP
import Platform
import Text

/// What the body of a request for embeddings is, by its `Content-Type`.
enum ImageContent: Sendable, Equatable {
  /// One image.
  case image
  /// A form with an image in each part.
  case form(boundary: ByteString)

  /// Media types of single images.
  static let imageTypes: [ByteString] = ["image/png", "image/jpeg", "image/webp"]
  private static let formType: ByteString = "multipart/form-data"

  /// - Throws: 415 for other types, 400 for a form without a boundary.
  init(_ request: Request) throws {
    let given = request.headers["Content-Type"] ?? ""
    let type = given.divided(at: 0x3B).before.trimmed.lowercasedASCII
    if Self.imageTypes.contains(type) {
      self = .image
    } else if type == Self.formType {
      guard let boundary = MultipartParser.boundary(in: given) else {
        throw Problem(
          status: 400,
          detail: "The Content-Type multipart/form-data must have a boundary of 1 to 70 characters "
            + "(RFC 2046).")
      }
      self = .form(boundary: boundary)
    } else {
      let types = Self.imageTypes + [Self.formType]
      var problem = Problem(
        status: 415,
        detail: "The body must be \(types.dropLast().joined(separator: ", ")) or \(Self.formType), got "
          + (type.isEmpty ? "no Content-Type." : "\"\(type.shown)\"."))
      problem.headers.add("Accept", types.joined(separator: ", ").string)
      throw problem
    }
  }
}

/// Takes images into a file as they come and notes where each of them lies. The file is removed with the last
/// reference.
final class EmbedSink: BodySink {
  /// What the request's head says.
  let request: EmbedRequest
  let path: String
  private let file: File
  /// Used by one thread at a time, as the calls are.
  private let state: SinkState

  // Unchecked because a sink is called by one thread at a time.
  private final class SinkState: @unchecked Sendable {
    var bytes = 0
    var parser: MultipartParser?
    /// Parts that have been looked at.
    var checked = 0

    init(_ parser: MultipartParser?) { self.parser = parser }
  }

  /// - Parameters:
  ///   - path: where the file will lie; nothing must be there.
  ///   - partsMax: images that there may be.
  /// - Throws: `SystemError`.
  init(_ request: EmbedRequest, path: String, partsMax: Int) throws {
    self.request = request
    self.path = path
    file = try File(path, .createNew, links: .refused)
    switch request.content {
    case .image: state = SinkState(nil)
    case .form(let boundary):
      state = SinkState(MultipartParser(boundary: boundary, limits: .init(parts: partsMax)))
    }
  }

  deinit {
    // What cannot be removed is swept away when the daemon starts.
    try? FileSystem.remove(path)
  }

  /// Bytes that have come.
  var bytes: Int { state.bytes }

  func write(_ bytes: [UInt8]) throws {
    do {
      try state.parser?.take(bytes)
      try checkParts()
    } catch let failure as MultipartParser.Failure {
      throw Problem(failure)
    }
    do throws(SystemError) {
      try file.write(bytes)
    } catch {
      throw API.problem(for: error)
    }
    state.bytes += bytes.count
  }

  /// Where the images lie in the file, once all has come.
  ///
  /// - Throws: 400 for a form that is cut off.
  func parts() throws -> [Range<Int>] {
    guard let parser = state.parser else { return [0..<state.bytes] }
    do throws(MultipartParser.Failure) {
      try parser.finish()
    } catch {
      throw Problem(error)
    }
    return parser.parts.map(\.content)
  }

  /// - Throws: 415 for a part that is not an image by its type.
  private func checkParts() throws {
    guard let parts = state.parser?.parts else { return }
    for part in parts[state.checked...] {
      state.checked += 1
      // A client that does not know the type says so, or nothing; then the content tells.
      guard
        part.type.isEmpty || part.type == "application/octet-stream"
          || ImageContent.imageTypes.contains(part.type)
      else {
        throw Problem(
          status: 415,
          detail: "part \(state.checked): must be \(ImageContent.imageTypes.joined(separator: ", ")), got "
            + "\"\(part.type.shown)\".")
      }
    }
  }
}

extension Problem {
  fileprivate init(_ failure: MultipartParser.Failure) {
    switch failure {
    case .malformed(let part, let message):
      self.init(status: 400, detail: "The body is not valid multipart/form-data: part \(part): \(message).")
    case .tooManyParts:
      self.init(
        status: 413,
        detail: "The body must have at most \(API.embedPartsMax) parts, which is the limit embed_parts_max.")
    case .headerTooLong(let part):
      self.init(
        status: 413,
        detail: "part \(part): its header must have at most \(MultipartParser.headerBytesMax) bytes, which "
          + "is the limit embed_part_header_bytes_max.")
    }
  }
}
