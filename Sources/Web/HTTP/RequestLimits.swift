/// How much of everything a request may have. An answer over a limit names it by the name it has here.
package struct RequestLimits: Sendable {
  /// Method, target and version with the line's end. RFC 9112, section 3, asks for at least 8,000.
  package var requestLineBytesMax = 8_192
  /// All header fields with their line ends, and as many again for trailers.
  package var headerBytesMax = 16_384
  /// Header fields, and as many again for trailers.
  package var headerCountMax = 100
  /// The content, after chunks are put together.
  package var bodyBytesMax = 4 << 20
  /// A chunk's size with its extensions.
  package var chunkLineBytesMax = 256
  /// Framing of a chunked body, in bytes beyond one for each 16 of content:
  /// sizes, extensions and line ends, which a client could send without end.
  package var chunkOverheadBytesMax = 16_384

  package init() {}
}

/// The name of a limit, for the answer to a request that is over it.
package enum RequestLimit: String, Sendable {
  case requestLineBytes = "request_line_bytes_max"
  case headerBytes = "header_bytes_max"
  case headerCount = "header_count_max"
  case bodyBytes = "body_bytes_max"
  case chunkLineBytes = "chunk_line_bytes_max"
  case chunkOverheadBytes = "chunk_overhead_bytes_max"
}
