import Text

/// Requests out of bytes, however these are cut: a state machine that does no I/O (RFC 9112).
///
///     HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]
///
/// Append what arrives, then ask for events until there is none. Each request is a `head`, any number of
/// `body` pieces and an `end`; the next request's bytes may already be waiting after it. After an error the
/// parser must not be asked again.
package struct RequestParser: Sendable {
  /// What has been read.
  package enum Event: Sendable {
    case head(RequestHead)
    /// A piece of the content, without chunk framing.
    case body([UInt8])
    case end
  }

  private let limits: RequestLimits
  /// Whether the content of a request goes elsewhere as it comes: then `limits` does not bound it.
  private let isSpooled: @Sendable (RequestHead) -> Bool
  /// How much content the present request may have.
  private var contentBytesMax = 0
  /// Bytes that came; those before `start` are done with.
  private var buffer: [UInt8] = []
  private var start = 0
  /// Up to here the line at `start` is known to hold no LF, so that no byte is looked at twice.
  private var scanned = 0
  private var state = State.requestLine(emptyLineSeen: false)
  private var section = FieldSection()

  private enum State: Sendable {
    case requestLine(emptyLineSeen: Bool)
    case fields(StartLine)
    case content(remaining: Int)
    case chunkSize(Chunks)
    case chunkData(Chunks, remaining: Int)
    case chunkEnd(Chunks)
    case trailers
    case end
  }

  private struct StartLine: Sendable {
    var method: Method
    var target: RequestTarget
    var minorVersion: Int
  }

  /// The header or trailer fields that have come so far.
  private struct FieldSection: Sendable {
    var headers = Headers()
    var bytes = 0
  }

  /// What a chunked body has had so far.
  private struct Chunks: Sendable {
    var contentBytes = 0
    var overheadBytes = 0
  }

  /// - Parameter isSpooled: whether the content of a request goes elsewhere as it comes, so that somebody
  ///   else bounds it.
  package init(
    limits: RequestLimits = RequestLimits(),
    isSpooled: @escaping @Sendable (RequestHead) -> Bool = { _ in false }
  ) {
    self.limits = limits
    self.isSpooled = isSpooled
  }

  /// Bytes that came and are not part of an event yet.
  package var waitingBytes: Int { buffer.count - start }

  /// What came, if it may be one whole request without content from its first byte to its last.
  package var possibleRequest: ArraySlice<UInt8>? {
    guard case .requestLine(emptyLineSeen: false) = state, waitingBytes > 0,
      buffer[start...].suffix(4).elementsEqual([0x0D, 0x0A, 0x0D, 0x0A])
    else { return nil }
    return buffer[start...]
  }

  /// Drops what came, as it is known to be one whole request.
  package mutating func dropRequest() {
    start = buffer.count
    scanned = start
  }

  /// Whether the client has begun a request that is not complete.
  package var isInsideRequest: Bool {
    if case .requestLine = state { return waitingBytes > 0 }
    return true
  }

  /// Takes in what the connection gave.
  package mutating func append(_ bytes: ArraySlice<UInt8>) {
    if start == buffer.count {
      // A connection that waits for its next request holds no memory for it.
      buffer = Array(bytes)
      (start, scanned) = (0, 0)
    } else {
      if start > 4_096 {
        buffer.removeFirst(start)
        (start, scanned) = (0, scanned - start)
      }
      buffer += bytes
    }
  }

  /// The next event, or nil until more bytes come.
  package mutating func next() throws(RequestError) -> Event? {
    while true {
      switch state {
      case .requestLine(let emptyLineSeen):
        guard let line = try takeLine(.requestLineBytes, limits.requestLineBytesMax) else { return nil }
        try readRequestLine(line, emptyLineSeen: emptyLineSeen)
      case .fields(let startLine):
        guard let complete = try takeField() else { return nil }
        if complete { return .head(try finish(startLine)) }
      case .content(let remaining):
        guard remaining > 0 else {
          state = .end
          continue
        }
        guard let piece = take(atMost: remaining) else { return nil }
        state = .content(remaining: remaining - piece.count)
        return .body(piece)
      case .chunkSize(let chunks):
        guard let line = try takeLine(.chunkLineBytes, limits.chunkLineBytesMax) else { return nil }
        try readChunkSize(line, chunks)
      case .chunkData(let chunks, let remaining):
        guard let piece = take(atMost: remaining) else { return nil }
        let left = remaining - piece.count
        state = left > 0 ? .chunkData(chunks, remaining: left) : .chunkEnd(chunks)
        return .body(piece)
      case .chunkEnd(let chunks):
        guard try takeChunkEnd() else { return nil }
        state = .chunkSize(chunks)
      case .trailers:
        guard let complete = try takeField() else { return nil }
        // Trailers are checked and then dropped, as RFC 9110, section 6.5.1, allows.
        if complete { state = .end }
      case .end:
        state = .requestLine(emptyLineSeen: false)
        section = FieldSection()
        return .end
      }
    }
  }
}

// MARK: - Start line and fields

extension RequestParser {
  /// request-line = method SP request-target SP HTTP-version  (RFC 9112, section 3); one empty line before
  /// it is ignored (section 2.2).
  private mutating func readRequestLine(_ line: Range<Int>, emptyLineSeen: Bool) throws(RequestError) {
    if line.isEmpty {
      guard !emptyLineSeen else { throw .requestLineMalformed }
      state = .requestLine(emptyLineSeen: true)
      return
    }
    let parts = buffer[line].split(separator: 0x20, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .requestLineMalformed }
    guard !parts[0].isEmpty, parts[0].allSatisfy(Grammar.isToken) else { throw .methodMalformed }
    let minorVersion = try readVersion(parts[2])
    let method = Method(rawValue: ByteString(decoding: parts[0]))
    let target = try RequestTarget(parts[1], method: method)
    state = .fields(StartLine(method: method, target: target, minorVersion: minorVersion))
  }

  /// HTTP-version = HTTP-name "/" DIGIT "." DIGIT  (RFC 9112, section 2.3).
  private func readVersion(_ bytes: ArraySlice<UInt8>) throws(RequestError) -> Int {
    let first = bytes.startIndex
    guard bytes.count == 8, bytes.starts(with: "HTTP/".utf8), Grammar.isDigit(bytes[first + 5]),
      bytes[first + 6] == 0x2E, Grammar.isDigit(bytes[first + 7])
    else { throw .versionMalformed }
    guard bytes[first + 5] == 0x31 else { throw .versionUnsupported }
    return bytes[first + 7] == 0x30 ? 0 : 1
  }

  /// Takes one field line or the empty line after the last: true for that, nil until the line is whole.
  private mutating func takeField() throws(RequestError) -> Bool? {
    let bytesBefore = start
    guard let line = try takeLine(.headerBytes, limits.headerBytesMax, used: section.bytes) else {
      return nil
    }
    section.bytes += start - bytesBefore
    if line.isEmpty { return true }
    guard section.headers.fields.count < limits.headerCountMax else {
      throw .overLimit(.headerCount, allowed: limits.headerCountMax)
    }
    try readField(line)
    return false
  }

  /// field-line = field-name ":" OWS field-value OWS  (RFC 9112, section 5).
  private mutating func readField(_ line: Range<Int>) throws(RequestError) {
    if buffer[line.lowerBound] == 0x20 || buffer[line.lowerBound] == 0x09 { throw .foldedLine }
    var colon = line.lowerBound
    while colon < line.upperBound, Grammar.isToken(buffer[colon]) { colon += 1 }
    guard colon < line.upperBound, colon > line.lowerBound else { throw .fieldNameMalformed }
    guard buffer[colon] == 0x3A else {
      throw buffer[colon] == 0x20 || buffer[colon] == 0x09 ? .whitespaceBeforeColon : .fieldNameMalformed
    }
    let name = ByteString(decoding: buffer[line.lowerBound..<colon])
    var (first, end) = (colon + 1, line.upperBound)
    while first < end, buffer[first] == 0x20 || buffer[first] == 0x09 { first += 1 }
    while end > first, buffer[end - 1] == 0x20 || buffer[end - 1] == 0x09 { end -= 1 }
    guard buffer[first..<end].allSatisfy(Grammar.isFieldContent) else {
      throw .fieldValueMalformed(name: name)
    }
    section.headers.add(name, ByteString(decoding: buffer[first..<end]))
  }

  private mutating func finish(_ startLine: StartLine) throws(RequestError) -> RequestHead {
    let head = try RequestHead(
      method: startLine.method, target: startLine.target, minorVersion: startLine.minorVersion,
      headers: section.headers)
    section = FieldSection()
    contentBytesMax = head.framing != .length(0) && isSpooled(head) ? .max : limits.bodyBytesMax
    switch head.framing {
    case .chunked: state = .chunkSize(Chunks())
    case .length(let length):
      guard length <= contentBytesMax else { throw .overLimit(.bodyBytes, allowed: contentBytesMax) }
      state = .content(remaining: length)
    }
    return head
  }
}

// MARK: - Chunked content

extension RequestParser {
  /// chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF; last-chunk = 1*("0") [ chunk-ext ] CRLF
  /// (RFC 9112, section 7.1). Extensions are bounded and ignored (section 7.1.1).
  private mutating func readChunkSize(_ line: Range<Int>, _ before: Chunks) throws(RequestError) {
    var size = 0
    var position = line.lowerBound
    while position < line.upperBound, let digit = Grammar.hexValue(buffer[position]) {
      size = min(size, .max >> 5) << 4 | Int(digit)
      position += 1
    }
    guard position > line.lowerBound else { throw .chunkSizeMalformed }
    try checkExtension(buffer[position..<line.upperBound])
    var chunks = before
    // A chunk may cost one byte of framing for each 16 of content; beyond that a budget is used up.
    chunks.overheadBytes += max(0, line.count + 4 - size / 16)
    guard chunks.overheadBytes <= limits.chunkOverheadBytesMax else {
      throw .overLimit(.chunkOverheadBytes, allowed: limits.chunkOverheadBytesMax)
    }
    guard size <= contentBytesMax - chunks.contentBytes else {
      throw .overLimit(.bodyBytes, allowed: contentBytesMax)
    }
    chunks.contentBytes += size
    state = size > 0 ? .chunkData(chunks, remaining: size) : .trailers
  }

  /// chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ); what follows the first
  /// semicolon is only checked for control bytes.
  private func checkExtension(_ bytes: ArraySlice<UInt8>) throws(RequestError) {
    guard let first = bytes.first(where: { $0 != 0x20 && $0 != 0x09 }) else {
      if bytes.isEmpty { return }
      throw .chunkSizeMalformed
    }
    if first != 0x3B { throw .chunkSizeMalformed }
    guard bytes.allSatisfy(Grammar.isFieldContent) else { throw .chunkExtensionMalformed }
  }

  private mutating func takeChunkEnd() throws(RequestError) -> Bool {
    guard waitingBytes > 0 else { return false }
    guard buffer[start] == 0x0D else { throw .chunkEndMalformed }
    guard waitingBytes > 1 else { return false }
    guard buffer[start + 1] == 0x0A else { throw .chunkEndMalformed }
    start += 2
    scanned = start
    return true
  }
}

// MARK: - Bytes

extension RequestParser {
  /// Takes the line at `start` and gives its place without the CR LF, or nil until it is whole.
  private mutating func takeLine(
    _ limit: RequestLimit, _ allowed: Int, used: Int = 0
  ) throws(RequestError) -> Range<Int>? {
    while scanned < buffer.count, buffer[scanned] != 0x0A { scanned += 1 }
    let isWhole = scanned < buffer.count
    guard scanned - start + (isWhole ? 1 : 0) <= allowed - used else {
      throw .overLimit(limit, allowed: allowed)
    }
    guard isWhole else { return nil }
    guard scanned > start, buffer[scanned - 1] == 0x0D else { throw .bareLineFeed }
    let line = start..<(scanned - 1)
    guard !buffer[line].contains(0x0D) else { throw .bareCarriageReturn }
    start = scanned + 1
    scanned = start
    return line
  }

  private mutating func take(atMost count: Int) -> [UInt8]? {
    guard waitingBytes > 0 else { return nil }
    let end = start + min(count, waitingBytes)
    let piece = Array(buffer[start..<end])
    start = end
    scanned = end
    return piece
  }
}
