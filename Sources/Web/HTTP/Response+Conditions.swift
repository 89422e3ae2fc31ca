extension Response {
  /// The answer after the request's preconditions and ranges (RFC 9110, sections 13.2.2 and 14.2).
  ///
  /// Only a 200 to GET or HEAD is changed: by its `ETag` to 304 or 412, and, where it says
  /// `Accept-Ranges: bytes` and knows its length, to 206 or 416.
  package func conditioned(by request: Request) -> Response {
    guard status == 200, request.method == .get || request.method == .head else { return self }
    let tag = headers["ETag"].flatMap(EntityTag.init(text:))
    if let tag, let condition = request.headers.list("If-Match"), condition != "*" {
      let tags = EntityTag.list(condition) ?? []
      guard tags.contains(where: tag.matchesStrongly) else {
        closeStream()
        return Problem(status: 412, detail: "The entity tag is \(tag.text), not one of If-Match.").response
      }
    }
    if let condition = request.headers.list("If-None-Match") {
      let tags = EntityTag.list(condition) ?? []
      if condition == "*" || tag.map({ tags.contains(where: $0.matchesWeakly) }) == true {
        return notModified
      }
    }
    return ranged(by: request, tag)
  }

  /// 304 carries the fields that a cache needs and no content (RFC 9110, section 15.4.5).
  private var notModified: Response {
    closeStream()
    var answer = Response(status: 304)
    for name in ["ETag", "Cache-Control", "Content-Location", "Expires", "Vary"] {
      for value in headers.all(name) { answer.headers.add(name, value) }
    }
    return answer
  }

  private func closeStream() {
    if case .stream(let stream) = body { stream.close() }
  }

  private func ranged(by request: Request, _ tag: EntityTag?) -> Response {
    guard request.method == .get, let field = request.headers.list("Range"), let size = body.count,
      headers["Accept-Ranges"] == "bytes"
    else { return self }
    if let validator = request.headers["If-Range"] {
      // A date never matches, as no answer carries Last-Modified (RFC 9110, section 13.1.5).
      guard let tag, let asked = EntityTag(text: validator), tag.matchesStrongly(asked) else { return self }
    }
    switch ByteRanges(field, bodyBytes: size) {
    case .ignored: return self
    case .unsatisfiable:
      var refusal = Problem(
        status: 416, detail: "The body has \(size) bytes; no range asked for holds one of them.")
      refusal.headers.add("Content-Range", "bytes */\(size)")
      return refusal.response
    case .satisfiable(let ranges):
      return ranges.count == 1 ? single(ranges[0], of: size) : parts(ranges, of: size)
    }
  }

  private func single(_ range: Range<Int>, of size: Int) -> Response {
    var answer = self
    answer.status = 206
    answer.headers.set("Content-Range", contentRange(range, of: size))
    answer.body = .pieces(body.slice(range))
    return answer
  }

  /// multipart/byteranges (RFC 9110, section 14.6; RFC 2046, section 5.1).
  private func parts(_ ranges: [Range<Int>], of size: Int) -> Response {
    let boundary = "part-\(String(UInt64.random(in: .min ... .max), radix: 36))"
    var pieces: [Piece] = []
    for range in ranges {
      var head = pieces.isEmpty ? "--\(boundary)\r\n" : "\r\n--\(boundary)\r\n"
      if let type = headers["Content-Type"] { head += "Content-Type: \(type)\r\n" }
      head += "Content-Range: \(contentRange(range, of: size))\r\n\r\n"
      pieces.append(.bytes(Array(head.utf8)))
      pieces += body.slice(range)
    }
    pieces.append(.bytes(Array("\r\n--\(boundary)--\r\n".utf8)))
    var answer = self
    answer.status = 206
    answer.headers.set("Content-Type", "multipart/byteranges; boundary=\(boundary)")
    answer.body = .pieces(pieces)
    return answer
  }

  private func contentRange(_ range: Range<Int>, of size: Int) -> String {
    "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
  }
}

extension Response.Body {
  /// The pieces that hold a range of this body; a stream has none.
  fileprivate func slice(_ range: Range<Int>) -> [Response.Piece] {
    var pieces: [Response.Piece] = []
    var begin = 0
    for piece in self.pieces {
      let part = range.clamped(to: begin..<(begin + piece.count))
      if !part.isEmpty { pieces.append(piece.slice(part.lowerBound - begin..<part.upperBound - begin)) }
      begin += piece.count
    }
    return pieces
  }

  /// The body as pieces; a stream has none.
  package var pieces: [Response.Piece] {
    switch self {
    case .empty, .stream: []
    case .bytes(let bytes): [.bytes(bytes)]
    case .file(let path, let offset, let count): [.file(path: path, offset: offset, count: count)]
    case .pieces(let pieces): pieces
    }
  }
}

extension Response.Piece {
  fileprivate func slice(_ range: Range<Int>) -> Response.Piece {
    switch self {
    case .bytes(let bytes): .bytes(Array(bytes[range]))
    case .file(let path, let offset, _):
      .file(path: path, offset: offset + range.lowerBound, count: range.count)
    }
  }
}
