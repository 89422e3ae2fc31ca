import Gzip
import HTTP
import Platform
import Text

/// Compresses bodies for clients that can read them so (RFC 9110, section 8.4).
struct ContentCoding: Sendable {
  private let level: Int?
  private let bytesMin: Int
  private let fileBytesMax: Int

  init(_ configuration: ServerConfiguration) {
    level = configuration.gzipLevel
    bytesMin = configuration.gzipBytesMin
    fileBytesMax = configuration.gzipFileBytesMax
  }

  /// Whether `encode` has to look for something smaller.
  func compresses(_ response: Response, for request: Request) -> Bool {
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
  /// The entity tag becomes weak: it now stands for two different sequences of bytes (section 8.8.1).
  func encode(_ response: Response, for request: Request) throws(SystemError) -> Response {
    guard let level, mayCompress(response, for: request) else { return response }
    var answer = response
    answer.headers.add("Vary", "Accept-Encoding")
    guard acceptsGzip(request.headers.list("Accept-Encoding") ?? ""),
      let plain = try content(response.body)
    else { return answer }
    let packed = Gzip.compress(plain, level: level)
    guard packed.count < plain.count else { return answer }
    answer.body = .bytes(packed)
    answer.headers.set("Content-Encoding", "gzip")
    answer.headers.remove("Accept-Ranges")
    if let tag = answer.headers["ETag"], !tag.hasPrefix("W/") { answer.headers.set("ETag", "W/\(tag)") }
    return answer
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
