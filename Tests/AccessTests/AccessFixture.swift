import Access
import HTTP
import Platform
import Synchronization
import Text

/// Routes behind an access control with a token file of their own and a clock that the test moves.
final class AccessFixture: Sendable {
  let folder: String
  let tokens: TokenFile
  let clock = Mutex<UInt64>(0)
  private let origins: Set<String>
  private let asks: Bool

  /// - Parameter asks: whether tokens are asked for.
  init(asks: Bool = true, origins: Set<String> = []) throws {
    folder = "\(FileSystem.temporaryDirectory)/vicregd-access-\(UInt64.random(in: .min ... .max))"
    try FileSystem.makeDirectories(folder)
    tokens = TokenFile("\(folder)/tokens")
    self.asks = asks
    self.origins = origins
  }

  deinit {
    // What is left behind in the temporary folder harms nobody.
    try? FileSystem.removeTree(folder)
  }

  func advance(seconds: UInt64) { clock.withLock { $0 += seconds * 1_000_000_000 } }

  /// The routes: something to read, something to write, something open, and files for everything else.
  func control() -> AccessControl {
    var router = Router(fallback: { _ in
      Response(contentType: "text/html; charset=utf-8", bytes: Array("<p>".utf8))
    })
    router.on(.get, "/jobs") { Response(contentType: "text/plain", bytes: Array($0.principal.utf8)) }
    router.on(.post, "/jobs") { _ in Response(status: 201) }
    router.on(.get, "/healthz", access: .open) { _ in Response(status: 204) }
    AccessControl.addRoutes(to: &router, tokens: asks ? tokens : nil)
    return AccessControl(
      router, tokens: asks ? tokens : nil,
      origins: OriginRule(allowedOrigins: Set(origins.map { ByteString($0) })),
      clock: { [self] in clock.withLock { $0 } })
  }
}

/// A request as the server hands it over.
func request(
  _ method: Method, _ path: String, _ fields: (String, String)..., peer: String = "10.0.0.1",
  isSecure: Bool = false
) -> Request {
  var request = Request(method: method, segments: ByteString(path).split(0x2F))
  for (name, value) in fields { request.headers.add(ByteString(name), value) }
  request.authority = "lab.example:8080"
  request.peer = peer
  request.isSecure = isSecure
  return request
}

extension Response {
  var text: String {
    if case .bytes(let bytes) = body { String(decoding: bytes, as: UTF8.self) } else { "" }
  }
}
