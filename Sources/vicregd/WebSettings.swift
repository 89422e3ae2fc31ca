import Crypto
import HTTPServer
import Logging
import Platform

/// The settings of `vicregd serve` that concern HTTP: where it listens, whom it answers, and every limit.
struct WebSettings: Sendable {
  static let tokens = Setting(
    name: "tokens", kind: .text("FILE"), standard: nil,
    help: "access tokens, made by `vicregd token create`; DIR/tokens of --data where it is not said")

  static let table: [Setting] = access + limits

  private static let access: [Setting] = [
    Setting(name: "host", kind: .text("ADDRESS"), standard: "127.0.0.1", help: "address to listen on"),
    Setting(
      name: "port", kind: .number(0...65535), standard: "8080",
      help: "port to listen on; 0 picks a free one"),
    Setting(
      name: "allowed-hosts", kind: .list("NAMES"), standard: "",
      help:
        "host names that requests may be for, separated by commas; * is any. Empty: on a loopback address "
        + "its own names, so that no web page reaches the daemon by a name of its own; elsewhere any"),
    Setting(
      name: "allowed-origins", kind: .list("ORIGINS"), standard: "",
      help: "origins whose pages may use the daemon, such as https://lab.example, separated by commas"),
    tokens,
    Setting(
      name: "insecure-no-auth", kind: .flag, standard: "false",
      help: "listen on an address that others can reach although nobody is asked who they are"),
    Setting(
      name: "tls-cert", kind: .text("FILE"), standard: nil,
      help: "certificate chain (PEM); with --tls-key, TLS is spoken. Read again at SIGHUP"),
    Setting(name: "tls-key", kind: .text("FILE"), standard: nil, help: "its key (PEM, without a password)"),
    Setting(
      name: "access-log", kind: .text("FILE"), standard: nil,
      help: "one JSON line an answer; - is standard output. Opened again at SIGHUP"),
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
      name: "stream-seconds", kind: .number(0...86_400), standard: "0",
      help: "after so long a stream of events ends, and its client asks again; 0: never"),
    Setting(
      name: "stop-seconds", kind: .number(0...3_600), standard: "5",
      help: "for running answers and streams to end when the daemon is told to stop"),
    Setting(
      name: "handler-threads", kind: .number(1...256), standard: "8",
      help: "requests that are worked on at the same time"),
    Setting(
      name: "loop-threads", kind: .number(1...64), standard: "1",
      help: "threads that move bytes between sockets and memory"),
  ]

  let host: String
  /// Limits, addresses and time-outs; without TLS and access log, which are opened when the daemon starts.
  let server: ServerConfiguration
  let tokensPath: String
  let allowsNobodyAsked: Bool
  let allowedOrigins: Set<String>
  let certificate: (certificate: String, key: String)?
  let accessLogPath: String?
  let stopSeconds: Int
  let streamSeconds: Int
  /// Every limit by the name that answers use for it, for the description of the API.
  let limits: [String: Int]

  /// - Parameter data: the data folder.
  /// - Throws: `UsageError`.
  init(_ settings: Settings, data: String) throws(UsageError) {
    host = settings.text("host")
    tokensPath = settings.optionalText("tokens") ?? "\(data)/tokens"
    allowsNobodyAsked = settings.isSet("insecure-no-auth")
    allowedOrigins = Set(WebSettings.names(settings.text("allowed-origins")).map { $0.lowercased() })
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
    for origin in allowedOrigins where origin.firstRange(of: "://") == nil || origin.hasSuffix("/") {
      throw UsageError("--allowed-origins must be such as https://lab.example:8443, has \"\(origin)\"")
    }
    server = WebSettings.server(settings, host: host)
  }

  /// Whether only this machine reaches the address.
  var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

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
    server.connectionsMax = settings.number("connections-max")
    server.connectionsPerAddressMax = settings.number("connections-per-address-max")
    server.timeouts.idleSeconds = Double(settings.number("idle-seconds"))
    server.timeouts.headerSeconds = Double(settings.number("header-seconds"))
    server.timeouts.bodySeconds = Double(settings.number("body-seconds"))
    server.timeouts.writeSeconds = Double(settings.number("write-seconds"))
    server.handlerThreads = settings.number("handler-threads")
    server.loopThreads = settings.number("loop-threads")
    server.allowedHosts = allowedHosts(settings.text("allowed-hosts"), host: host)
    return server
  }

  private static func allowedHosts(_ text: String, host: String) -> Set<String>? {
    let isLocal = host == "localhost" || host == "::1" || host.hasPrefix("127.")
    if text == "*" || text.isEmpty && !isLocal { return nil }
    return Set(["localhost", "127.0.0.1", "[::1]", host.contains(":") ? "[\(host)]" : host] + names(text))
  }

  private static func names(_ text: String) -> [String] {
    text.split(separator: ",").map { String($0.filter { $0 != " " }) }
  }
}
