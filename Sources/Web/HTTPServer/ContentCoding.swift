import Gzip
import HTTP
import Platform
import Text

/// Compresses bodies for clients that can read them so (RFC 9110, section 8.4).
struct ContentCoding: Sendable {
  private let level: Int?
  private let bytesMin: Int
  private let fileBytesMax: Int

  /// To compress as much takes so long that it is work of its own.
  private static let heavyBytesMin = 64 << 10

  init(_ configuration: ServerConfiguration) {
    level = configuration.gzipLevel
    bytesMin = configuration.gzipBytesMin
    fileBytesMax = configuration.gzipFileBytesMax
  }

  /// How much work `encode` has with an answer.
  enum Effort {
    /// Nothing is compressed, or the compressed form is kept already.
    case none
    case little
    case much
  }

  /// How much work `encode` would have now.
  func effort(_ response: Response, for request: Request) -> Effort {
    guard compresses(response, for: request), response.compressedForm?.isKnown != true else { return .none }
    if case .file(_, _, let count) = response.body, count > fileBytesMax { return .none }
    return response.body.count ?? 0 < ContentCoding.heavyBytesMin ? .little : .much
  }

  /// Whether `encode` gives a body that is in memory, without computing anything.
  func isAtHand(_ response: Response, for request: Request) -> Bool {
    guard effort(response, for: request) == .none else { return false }
    let isOnDisk = response.body.pieces.contains { if case .file = $0 { true } else { false } }
    return !isOnDisk || compresses(response, for: request) && response.compressedForm?.isAtHand == true
  }

  /// The answer after the request's conditions and ranges, with the field that tells caches what it depends
  /// on.
  func conditioned(_ response: Response, by request: Request) -> Response {
    var answer = response
    if mayCompress(response, for: request) { answer.headers.add("Vary", "Accept-Encoding") }
    return answer.conditioned(
      by: request, now: SystemClock.unixMilliseconds / 1_000,
      mayBeGzipped: compresses(response, for: request))
  }

  private func compresses(_ response: Response, for request: Request) -> Bool {
    mayCompress(response, for: request) && acceptsGzip(request.headers.list("Accept-Encoding") ?? "")
  }

  private func mayCompress(_ response: Response, for request: Request) -> Bool {
    guard level != nil, response.status != 206, response.headers["Content-Encoding"] == nil,
      let type = response.headers["Content-Type"], ContentType.isCompressible(type),
      let count = response.body.count, count >= bytesMin
    else { return false }
    // Compressed pages inside TLS are what BREACH (CVE-2013-3587) measures; ours are small.
    return !(request.isSecure && type.hasPrefix("text/html"))
  }

  /// The same answer, its body compressed where type, size and client allow.
  ///
  /// The entity tag becomes that of the gzipped form.
  func encode(_ response: Response, for request: Request) throws(SystemError) -> Response {
    guard let level, compresses(response, for: request), let packed = try packed(response, level: level)
    else { return response }
    var answer = response
    answer.body = .bytes(packed)
    answer.headers.set("Content-Encoding", "gzip")
    answer.headers.remove("Accept-Ranges")
    if let tag = answer.headers["ETag"].flatMap(EntityTag.init(text:)) {
      answer.headers.set("ETag", tag.gzipped.text)
    }
    return answer
  }

  /// The compressed body, kept where the answer has a place for it; nil where it would not be smaller.
  private func packed(_ response: Response, level: Int) throws(SystemError) -> [UInt8]? {
    let form = response.compressedForm ?? CompressedForm()
    return try form.bytes(plainBytes: response.body.count ?? 0) { () throws(SystemError) -> [UInt8]? in
      try content(response.body).map { Gzip.compress($0, level: level) }
    }
  }

  private func content(_ body: Response.Body) throws(SystemError) -> [UInt8]? {
    switch body {
    case .bytes(let bytes): bytes
    case .file(let path, let offset, let count) where count <= fileBytesMax:
      try File(path, .read).read(at: offset, countMax: count)
    default: nil
    }
  }

  /// Accept-Encoding = #( codings [ weight ] )  (RFC 9110, section 12.5.3): gzip is listed by name or by `*`,
  /// and not with the weight 0.
  private func acceptsGzip(_ field: ByteString) -> Bool {
    var any = false
    for member in field.lowercasedASCII.split(0x2C) {
      let parts = member.split(0x3B).map(\.trimmed)
      guard let name = parts.first else { continue }
      let given = parts.dropFirst().first { $0.hasPrefix("q=") }
      let weight = given.flatMap { Double($0.dropFirst(2).string) } ?? 1
      if name == "gzip" || name == "x-gzip" { return weight > 0 }
      if name == "*" { any = weight > 0 }
    }
    return any
  }
}
