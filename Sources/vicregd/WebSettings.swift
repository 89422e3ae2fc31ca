import API
import Access
import Crypto
import HTTPServer
import JSONText
import Logging
import Platform
import Recipe
import Text

/// The settings of `vicregd serve` that concern HTTP: where it listens, whom it answers, and every limit.
struct WebSettings: Sendable {
  static let tokens = Setting(
    name: "tokens", kind: .text("FILE"), standard: nil,
    help: "access tokens, made by `vicregd token create`; by default DIR/tokens of --data")

  static let table: [Setting] = access + limits

  private static let access: [Setting] = [
    Setting(
      name: "host", kind: .host("ADDRESS"), standard: "127.0.0.1",
      help: "IP address to listen on, or localhost; 0.0.0.0 or :: is every address"),
    Setting(
      name: "port", kind: .number(0...65535), standard: "8080",
      help: "port to listen on; 0 picks a free one"),
    Setting(
      name: "allowed-hosts", kind: .list("NAMES"), standard: "",
      help:
        "host names that requests may be for, besides localhost and IP addresses, separated by commas. "
        + "Without access tokens, and on a loopback address, no others are answered, so that no web page "
        + "reaches the daemon by a name of its own (DNS rebinding). With access tokens * allows any, which "
        + "is the default on other addresses"),
    Setting(
      name: "allowed-origins", kind: .list("ORIGINS"), standard: "",
      help: "origins whose pages may use the daemon, such as https://lab.example, separated by commas"),
    tokens,
    Setting(
      name: "create-token", kind: .flag, standard: "false",
      help: "if there is no access token yet, create one and print the address that signs in with it, once"),
    Setting(
      name: "insecure-no-auth", kind: .flag, standard: "false",
      help: "no authentication, also on an address that others can reach"),
    Setting(
      name: "tls-cert", kind: .text("FILE"), standard: nil,
      help: "certificate chain (PEM); with --tls-key, enables TLS. Read again at SIGHUP"),
    Setting(name: "tls-key", kind: .text("FILE"), standard: nil, help: "its key (PEM, without a password)"),
    Setting(
      name: "hsts-seconds", kind: .number(0...1 << 31), standard: "31536000",
      help:
        "seconds for which browsers that used TLS use nothing else (Strict-Transport-Security); 0: not sent"
    ),
    Setting(
      name: "access-log", kind: .text("FILE"), standard: nil,
      help: "one JSON line per answer; - is standard output. Opened again at SIGHUP"),
  ]

  private static let limits: [Setting] = [
    Setting(
      name: "request-line-bytes-max", kind: .number(8_000...1 << 20), standard: "8192",
      help: "longest method, target and version"),
    Setting(
      name: "header-bytes-max", kind: .number(1_024...1 << 20), standard: "16384",
      help: "all header fields of a request"),
    Setting(
      name: "header-count-max", kind: .number(8...10_000), standard: "100", help: "header fields of a request"
    ),
    Setting(
      name: "body-bytes-max", kind: .number(1_024...1 << 30), standard: "4194304",
      help: "largest body of a request"),
    Setting(
      name: "small-body-bytes-max", kind: .number(1_024...1 << 30), standard: "65536",
      help: "largest body of a request that is not POST /jobs"),
    Setting(
      name: "upload-bytes-max", kind: .number(1_024...1 << 44), standard: String(API.uploadBytesMaxDefault),
      help: "largest archive that is uploaded as a dataset"),
    Setting(
      name: "model-bytes-max", kind: .number(1_024...1 << 40), standard: String(API.modelBytesMaxDefault),
      help: "largest safetensors file that is uploaded as a model"),
    Setting(
      name: "embed-body-bytes-max", kind: .number(1_024...1 << 40),
      standard: String(API.embedBodyBytesMaxDefault),
      help: "bytes of the images of one request for embeddings or neighbours"),
    Setting(
      name: "embed-pixels-max", kind: .number(1...1_000_000_000), standard: String(API.embedPixelsMaxDefault),
      help: "pixels of one image of such a request"),
    Setting(
      name: "embed-seconds", kind: .number(1...3_600), standard: String(API.embedSecondsDefault),
      help: "longest that such a request waits for its answer"),
    Setting(
      name: "import-bytes-max", kind: .number(1...1 << 46), standard: String(ImportLimits().bytes),
      help: "bytes of all files of an import together, unpacked"),
    Setting(
      name: "import-entries-max", kind: .number(1...100_000_000), standard: String(ImportLimits().entries),
      help: "files and folders of an import"),
    Setting(
      name: "import-image-bytes-max", kind: .number(1...1 << 31),
      standard: String(ImportLimits().imageBytes), help: "bytes of one image's file of an import"),
    Setting(
      name: "import-pixels-max", kind: .number(1...1_000_000_000), standard: String(ImportLimits().pixels),
      help: "pixels of one image of an import"),
    Setting(
      name: "import-nesting-max", kind: .number(1...255), standard: String(ImportLimits().nesting),
      help: "names in the path of one file of an import"),
    Setting(
      name: "import-ratio-max", kind: .number(1...100_000), standard: String(ImportLimits().ratio),
      help: "bytes that come out of one byte of an archive, after the first 64 MiB"),
    Setting(
      name: "json-members-max", kind: .number(16...1 << 20),
      standard: String(JSONLimits.membersMaxDefault), help: "members of one object in a JSON body"),
    Setting(
      name: "json-values-max", kind: .number(1_000...1 << 30),
      standard: String(JSONLimits.valuesMaxDefault), help: "values in one JSON body, nested ones included"),
    Setting(
      name: "bodies-bytes-max", kind: .number(1 << 20...1 << 40), standard: "67108864",
      help: "bodies of all requests at the same time; of one address or /64, large ones have half of it"),
    Setting(
      name: "queued-requests-max", kind: .number(16...1 << 20), standard: "1024",
      help: "requests that wait for a handler thread; those of this machine itself have half of it"),
    Setting(
      name: "queued-requests-per-client-max", kind: .number(1...1 << 20), standard: "64",
      help: "of those, from one address, or /64 of IPv6"),
    Setting(
      name: "streams-max", kind: .number(1...1 << 20), standard: "8192",
      help: "streams, and answers waited for by Prefer: wait, at the same time"),
    Setting(
      name: "streams-per-address-max", kind: .number(1...1 << 20), standard: "128",
      help: "of those, to one address, or /64 of IPv6, that is not this machine's own"),
    Setting(
      name: "connections-max", kind: .number(1...1 << 20), standard: "16384",
      help: "connections open at the same time"),
    Setting(
      name: "connections-per-address-max", kind: .number(1...1 << 20), standard: "512",
      help: "of those, from one address, or /64 of IPv6, that is not this machine's own"),
    Setting(
      name: "idle-seconds", kind: .number(1...86_400), standard: "75",
      help: "from one answer to the next request of a connection"),
    Setting(
      name: "header-seconds", kind: .number(1...3_600), standard: "10",
      help: "from a request's first byte to the end of its header; for a TLS handshake too"),
    Setting(
      name: "body-seconds", kind: .number(1...3_600), standard: "20",
      help: "for the body of a request; each KiB that comes gives a second back"),
    Setting(
      name: "write-seconds", kind: .number(1...3_600), standard: "30",
      help: "for a client to take an answer; each KiB that it takes gives a second back"),
    Setting(
      name: "stream-seconds", kind: .number(0...86_400), standard: "3600",
      help: "seconds after which a stream of events ends, so that its client connects again; 0: never"),
    Setting(
      name: "session-idle-seconds", kind: .number(60...30 * 86_400), standard: "43200",
      help: "seconds without a request after which a browser has to sign in again"),
    Setting(
      name: "sessions-per-token-max", kind: .number(1...1_000), standard: "64",
      help: "browsers signed in with one access token; one more signs out the one that was idle longest"),
    Setting(
      name: "stop-seconds", kind: .number(0...3_600), standard: "5",
      help: "for running answers and streams to end when the daemon is told to stop"),
    Setting(
      name: "handler-threads", kind: .number(1...256), standard: "8",
      help: "requests that are handled at the same time"),
    Setting(
      name: "loop-threads", kind: .number(1...64), standard: "1",
      help: "threads that move bytes between sockets and memory"),
  ]

  let host: HostAddress
  /// Limits, addresses and time-outs; without TLS and access log, which are opened when the daemon starts.
  let server: ServerConfiguration
  let tokensPath: String
  /// The command that creates an access token for this daemon, in whatever folder a shell is.
  let tokenCommand: String
  let isAuthDisabled: Bool
  let createsToken: Bool
  let sessions: Sessions.Limits
  let allowedOrigins: Set<WebOrigin>
  /// `*` is any.
  private let allowedHosts: [ByteString]
  let certificate: (certificate: String, key: String)?
  let accessLogPath: String?
  let stopSeconds: Int
  let streamSeconds: Int
  /// Every limit by the name that answers use for it, for the description of the API.
  let limits: [String: Int]

  /// - Parameter data: the data folder.
  /// - Throws: `UsageError`.
  init(_ settings: Settings, data: String) throws(UsageError) {
    guard let host = HostAddress(settings.text("host")) else {
      preconditionFailure("the host has been checked as every setting is")
    }
    self.host = host
    let tokens = settings.optionalText("tokens")
    tokensPath = tokens ?? "\(data)/tokens"
    tokenCommand =
      "vicregd token create --name NAME "
      + (tokens.map { "--tokens \(WebSettings.shellPath($0))" } ?? "--data \(WebSettings.shellPath(data))")
    isAuthDisabled = settings.isSet("insecure-no-auth")
    createsToken = settings.isSet("create-token")
    if isAuthDisabled, createsToken {
      throw UsageError("--insecure-no-auth and --create-token exclude each other")
    }
    var sessions = Sessions.Limits()
    sessions.idleSeconds = settings.number("session-idle-seconds")
    sessions.perTokenMax = settings.number("sessions-per-token-max")
    self.sessions = sessions
    allowedHosts = try WebSettings.allowedHosts(settings.text("allowed-hosts"))
    allowedOrigins = try WebSettings.allowedOrigins(settings.text("allowed-origins"))
    accessLogPath = settings.optionalText("access-log")
    stopSeconds = settings.number("stop-seconds")
    streamSeconds = settings.number("stream-seconds")
    limits = Dictionary(
      uniqueKeysWithValues: WebSettings.limits.map { setting in
        (String(setting.name.map { $0 == "-" ? "_" : $0 }), settings.number(setting.name))
      })
    switch (settings.optionalText("tls-cert"), settings.optionalText("tls-key")) {
    case (nil, nil): certificate = nil
    case (let certificate?, let key?): self.certificate = (certificate, key)
    default: throw UsageError("--tls-cert and --tls-key go together")
    }
    server = WebSettings.server(settings, host: host.text)
  }

  /// Whether only this machine reaches the address.
  var isLoopback: Bool { host.isLoopback }

  /// An address under which this machine's browser reaches the daemon.
  func address(port: Int) -> String {
    let reachable = host.text == "0.0.0.0" ? "127.0.0.1" : host.text == "::" ? "[::1]" : host.urlText
    return "\(certificate == nil ? "http" : "https")://\(reachable):\(port)"
  }

  private static func shellPath(_ path: String) -> String {
    let isAbsolute = path.utf8.first == UInt8(ascii: "/")
    return Token.shellWord(isAbsolute ? path : "\((try? FileSystem.resolve(".")) ?? ".")/\(path)")
  }

  /// Which hosts requests may be for. Where others reach a daemon with tokens, its names are not known here,
  /// and any is answered unless some are listed.
  ///
  /// - Throws: `UsageError` for `*` without tokens.
  func hostRule(hasTokens: Bool) throws(UsageError) -> HostRule {
    let isAny = allowedHosts.contains("*")
    if isAny, !hasTokens {
      throw UsageError(
        "--allowed-hosts * needs access tokens: without them any web page could use the daemon by a host "
          + "name of its own (DNS rebinding). List the names, or create a token by: \(tokenCommand)")
    }
    if isAny || allowedHosts.isEmpty && !isLoopback && hasTokens { return .any }
    return HostRule(names: allowedHosts)
  }

  /// The certificate, read now. A key that others can read is used, with a warning.
  ///
  /// - Throws: `CryptoError`.
  func readCertificate() throws -> TLSContext? {
    guard let certificate else { return nil }
    // A key that cannot be looked at cannot be read either, which is told below.
    if let permissions = try? FileSystem.permissions(certificate.key), permissions & 0o007 != 0 {
      Log("serve").warning(
        "the key \(certificate.key) has mode 0\(String(permissions, radix: 8)): other users of this machine "
          + "can read or change it; mend it by: chmod 600 \(certificate.key)")
    }
    return try TLSContext(certificatePath: certificate.certificate, keyPath: certificate.key)
  }

  private static func server(_ settings: Settings, host: String) -> ServerConfiguration {
    var server = ServerConfiguration()
    server.host = host
    server.port = settings.number("port")
    server.requestLimits.requestLineBytesMax = settings.number("request-line-bytes-max")
    server.requestLimits.headerBytesMax = settings.number("header-bytes-max")
    server.requestLimits.headerCountMax = settings.number("header-count-max")
    server.requestLimits.bodyBytesMax = settings.number("body-bytes-max")
    server.bodiesBytesMax = settings.number("bodies-bytes-max")
    server.queuedRequestsMax = settings.number("queued-requests-max")
    server.queuedRequestsPerClientMax = settings.number("queued-requests-per-client-max")
    server.streamsMax = settings.number("streams-max")
    server.streamsPerAddressMax = settings.number("streams-per-address-max")
    server.hstsSeconds = settings.number("hsts-seconds")
    server.connectionsMax = settings.number("connections-max")
    server.connectionsPerAddressMax = settings.number("connections-per-address-max")
    server.timeouts.idleSeconds = Double(settings.number("idle-seconds"))
    server.timeouts.headerSeconds = Double(settings.number("header-seconds"))
    server.timeouts.bodySeconds = Double(settings.number("body-seconds"))
    server.timeouts.writeSeconds = Double(settings.number("write-seconds"))
    server.handlerThreads = settings.number("handler-threads")
    server.loopThreads = settings.number("loop-threads")
    return server
  }

  private static func allowedHosts(_ text: String) throws(UsageError) -> [ByteString] {
    let names = members(text)
    for name in names where name != "*" && !HostRule.isHost(name) {
      throw UsageError(
        "--allowed-hosts must be host names without ports, such as lab.example, or *, got \"\(name)\"")
    }
    return names
  }

  private static func allowedOrigins(_ text: String) throws(UsageError) -> Set<WebOrigin> {
    var origins: Set<WebOrigin> = []
    for member in members(text) {
      guard let origin = WebOrigin(member) else {
        throw UsageError(
          "--allowed-origins must be origins such as https://lab.example:8443, got \"\(member)\"")
      }
      origins.insert(origin)
    }
    return origins
  }

  /// The members of a list separated by commas.
  private static func members(_ text: String) -> [ByteString] {
    ByteString(text).split(UInt8(ascii: ",")).map(\.trimmed).filter { !$0.isEmpty }
  }
}
