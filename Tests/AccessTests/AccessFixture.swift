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
  private let origins: [ByteString]
  private let hosts: HostRule
  private let asks: Bool
  private let limits: Sessions.Limits

  /// - Parameter asks: whether tokens are asked for.
  init(
    asks: Bool = true, origins: [ByteString] = [], hosts: HostRule = .any,
    limits: Sessions.Limits = Sessions.Limits()
  ) throws {
    folder = "\(FileSystem.temporaryDirectory)/vicregd-access-\(UInt64.random(in: .min ... .max))"
    try FileSystem.makeDirectories(folder)
    tokens = TokenFile("\(folder)/tokens")
    self.asks = asks
    self.origins = origins
    self.hosts = hosts
    self.limits = limits
  }

  deinit {
    // What is left behind in the temporary folder harms nobody.
    try? FileSystem.removeTree(folder)
  }

  func advance(seconds: UInt64) { clock.withLock { $0 += seconds * 1_000_000_000 } }

  /// The routes: something to read, something to write, something open, and files for everything else.
  func control() -> AccessControl {
    var router = Router(
      fallback: { _ in Response(contentType: "text/html; charset=utf-8", bytes: Array("<p>".utf8)) },
      instantFallback: { _ in InstantResponse(Response(), isCurrent: { true }) })
    router.on(.get, "/jobs") { Response(contentType: "text/plain", bytes: Array($0.principal.utf8)) }
    router.on(.post, "/jobs") { _ in Response(status: 201) }
    router.on(.get, "/healthz", access: .open) { _ in Response(status: 204) }
    let authenticator =
      asks
      ? Authenticator(
        tokens: tokens, sessions: Sessions(limits), clock: { [self] in clock.withLock { $0 } }) : nil
    AccessControl.addRoutes(
      to: &router, authenticator: authenticator, tokenCommand: "vicregd token create --data '/a b'")
    return AccessControl(
      router, authenticator: authenticator, hosts: hosts,
      origins: OriginRule(allowedOrigins: Set(origins.compactMap { WebOrigin($0) })))
  }
}

/// A request as the server hands it over.
func request(
  _ method: Method, _ path: String, _ fields: (String, String)..., peer: String = "10.0.0.1",
  authority: String? = "lab.example:8080", isSecure: Bool = false
) -> Request {
  var request = Request(method: method, segments: ByteString(path).split(0x2F))
  for (name, value) in fields { request.headers.add(ByteString(name), value) }
  request.authority = authority.map { ByteString($0) }
  request.peer = peer
  request.isSecure = isSecure
  return request
}

extension Response {
  var text: String {
    if case .bytes(let bytes) = body { String(decoding: bytes, as: UTF8.self) } else { "" }
  }
}
