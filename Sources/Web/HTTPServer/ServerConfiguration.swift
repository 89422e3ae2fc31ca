import Crypto
import HTTP

/// Where the server listens and how much it allows. Every limit has a name, which the answer over it tells.
package struct ServerConfiguration: Sendable {
  /// An IPv4 or IPv6 address, or `localhost`.
  package var host = "127.0.0.1"
  /// 0 takes any free port; `HTTPServer.start` tells which.
  package var port = 0
  /// Sizes of one request.
  package var requestLimits = RequestLimits()
  /// Connections open at once; further ones are answered 503 and closed.
  package var connectionsMax = 16_384
  /// Connections that the process has descriptors for: one more closes the one that has been idle longest, or
  /// is answered 503 where none is idle.
  package var connectionsRoom = Int.max
  /// Of those, connections from one address, or from one /64 of IPv6 addresses, which is what one client has;
  /// the machine's own loopback addresses, which proxies share, are only held to the first limit.
  package var connectionsPerAddressMax = 512
  /// Requests that may wait for a handler's thread; further ones are answered 503. Those of loopback
  /// addresses have half of all places together.
  package var queuedRequestsMax = 1_024
  /// Of those, requests from one address or /64.
  package var queuedRequestsPerClientMax = 64
  /// Answers that last, at once: streams, and answers that clients wait for; further ones are refused by 503.
  package var streamsMax = 8_192
  /// Of those, answers to one address or /64 that is not a loopback one.
  package var streamsPerAddressMax = 128
  /// Memory for the bodies of all requests, in bytes; a request whose body has no room in it is answered 503
  /// before its body is read.
  package var bodiesBytesMax = 64 << 20
  /// For how long browsers are told to use TLS only (RFC 6797), where the server speaks it; 0: they are not
  /// told.
  package var hstsSeconds = 31_536_000
  /// With it, connections are TLS.
  package var tls: TLSContext?
  /// Threads that only move bytes between sockets and memory.
  package var loopThreads = 1
  /// Threads that run handlers, which may wait for disk and database.
  package var handlerThreads = 4
  package var timeouts = Timeouts()
  /// How hard text is compressed for clients that accept gzip: 1 is fastest, 9 smallest, nil is not at all.
  package var gzipLevel: Int? = 5
  /// Bodies of fewer bytes are not compressed.
  package var gzipBytesMin = 1_024
  /// Files of more bytes are sent as they are, from disk.
  package var gzipFileBytesMax = 4 << 20
  /// Told once of each answer when its last byte has been given to the kernel or its connection is gone;
  /// called on a loop's thread, which it must not hold up.
  package var accessLog: (@Sendable (AccessRecord) -> Void)?

  package init() {}

  /// How long a client may take, in seconds. A steady one never meets the time-outs of body and answer:
  /// each byte moved gives it back 1/`bytesPerSecondMin` seconds.
  package struct Timeouts: Sendable {
    /// From one answer to the next request, and from the connection to the first.
    package var idleSeconds = 75.0
    /// From a request's first byte to the end of its header.
    package var headerSeconds = 10.0
    /// For the body of a request.
    package var bodySeconds = 20.0
    /// For an answer.
    package var writeSeconds = 30.0
    /// For the client to close after the last answer.
    package var lingerSeconds = 2.0
    /// The slowest pace that is waited for.
    package var bytesPerSecondMin = 1_024.0

    package init() {}
  }
}

/// One answer, for the access log.
package struct AccessRecord: Sendable {
  /// When it was over.
  package var unixMilliseconds: Int
  /// What the answer's `X-Request-Id` says.
  package var requestID: String
  /// The name of the access token; empty without one.
  package var principal: String
  /// The client's address.
  package var peer: String
  /// The method, or nil where the request could not be read.
  package var method: Method?
  /// The path without its query, which may hold secrets.
  package var path: String
  package var status: Int
  /// Bytes sent, head included.
  package var bytes: Int
  /// From the end of the request to the end of the answer.
  package var milliseconds: Double
  /// Whether every byte of the answer was taken by the kernel.
  package var isComplete: Bool
}
