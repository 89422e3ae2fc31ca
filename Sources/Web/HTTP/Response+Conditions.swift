import Text

extension Response {
  /// The answer after the request's preconditions and ranges (RFC 9110, sections 13.2.2 and 14.2).
  ///
  /// Only a 200 to GET or HEAD is changed: by its `ETag` and `Last-Modified` to 304 or 412, and, where it
  /// says `Accept-Ranges: bytes` and knows its length, to 206 or 416. Its `ETag` is that of the body without
  /// a content coding.
  /// - Parameters:
  ///   - now: Unix seconds; a date of this second is too young to tell two versions apart.
  ///   - mayBeGzipped: whether the client can have the body gzipped as well.
  package func conditioned(by request: Request, now: Int = .max, mayBeGzipped: Bool = false) -> Response {
    if case .pending = body { return self }
    guard status == 200, request.method == .get || request.method == .head,
      request.headers.fields.contains(where: { Response.isCondition($0.name) })
    else { return self }
    let tag = headers["ETag"].flatMap(EntityTag.init(text:))
    let modified = headers["Last-Modified"].flatMap(unixSeconds(httpDate:))
    if let problem = request.preconditionProblem(tag: tag, modified: modified) {
      closeStream()
      return problem.response
    }
    if let condition = request.headers.list("If-None-Match") {
      if let tag = tag?.known(to: condition, mayBeGzipped: mayBeGzipped) { return notModified(tag) }
      if condition == "*" { return notModified(tag) }
    } else if let modified, let since = request.headers["If-Modified-Since"].flatMap(unixSeconds(httpDate:)),
      modified <= since
    {
      return notModified(tag)
    }
    let isStrongDate = modified.map { $0 < now } ?? false
    return ranged(by: request, tag, date: isStrongDate ? modified : nil)
  }

  /// Whether a field asks for something else than the whole answer.
  private static func isCondition(_ name: ByteString) -> Bool {
    name.equalsIgnoringCase("Range") || name.lowercasedASCII.hasPrefix("if-")
  }

  /// 304 carries the fields that a cache needs and no content (RFC 9110, section 15.4.5).
  ///
  /// - Parameter tag: of the form that the client has.
  private func notModified(_ tag: EntityTag?) -> Response {
    closeStream()
    var answer = Response(status: 304)
    if let tag { answer.headers.add("ETag", tag.text) }
    let names: [ByteString] = [
      "Last-Modified", "Cache-Control", "Content-Location", "Expires", "Vary",
    ]
    for name in names {
      for value in headers.all(name) { answer.headers.add(name, value) }
    }
    return answer
  }

  private func closeStream() {
    if case .stream(let stream) = body { stream.close() }
  }

  private func ranged(by request: Request, _ tag: EntityTag?, date: Int?) -> Response {
    guard request.method == .get, let field = request.headers.list("Range"), let size = body.count,
      headers["Accept-Ranges"] == "bytes"
    else { return self }
    if let validator = request.headers["If-Range"], !isCurrent(validator, tag, date: date) { return self }
    switch ByteRanges(field, bodyBytes: size) {
    case .ignored: return self
    case .unsatisfiable:
      var refusal = Problem(
        status: 416, detail: "The body has \(size) bytes; no requested range overlaps it.")
      refusal.headers.add("Content-Range", "bytes */\(size)")
      return refusal.response
    case .satisfiable(let ranges):
      return ranges.count == 1 ? single(ranges[0], of: size) : parts(ranges, of: size)
    }
  }

  /// Whether an If-Range field names this version: by a strong tag, or by exactly its date (RFC 9110,
  /// section 13.1.5).
  private func isCurrent(_ validator: ByteString, _ tag: EntityTag?, date: Int?) -> Bool {
    if let asked = EntityTag(text: validator) { return tag.map(asked.matchesStrongly) ?? false }
    guard let date, let asked = unixSeconds(httpDate: validator) else { return false }
    return date == asked
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
    case .empty, .stream, .pending: []
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

extension Request {
  /// 412 if the present version of the target does not meet If-Match or If-Unmodified-Since, or, for other
  /// methods than GET and HEAD, If-None-Match (RFC 9110, section 13.2.2).
  ///
  /// - Parameters:
  ///   - tag: of the present version; If-Match other than `*` does not count without one.
  ///   - modified: when it was changed last, in Unix seconds.
  package func preconditionProblem(tag: EntityTag?, modified: Int? = nil) -> Problem? {
    if let condition = headers.list("If-Match") {
      if let tag, condition != "*",
        tag.version(in: EntityTag.list(condition) ?? [], isStrong: true) == nil
      {
        return Problem(
          status: 412, detail: "The entity tag is now \(tag.text), which If-Match does not name.")
      }
    } else if let modified, let since = headers["If-Unmodified-Since"].flatMap(unixSeconds(httpDate:)),
      modified > since
    {
      return Problem(status: 412, detail: "It was last changed at \(imfFixdate(unixSeconds: modified)).")
    }
    guard method != .get, method != .head, let condition = headers.list("If-None-Match") else { return nil }
    if condition == "*" || tag?.version(in: EntityTag.list(condition) ?? [], isStrong: false) != nil {
      return Problem(status: 412, detail: "If-None-Match names the present version.")
    }
    return nil
  }
}

extension EntityTag {
  /// The tag of the form that a client has by its If-None-Match, among the forms that it can be sent; nil if
  /// it has none of this version.
  fileprivate func known(to condition: ByteString, mayBeGzipped: Bool) -> EntityTag? {
    let tags = EntityTag.list(condition) ?? []
    if mayBeGzipped, tags.contains(where: gzipped.matchesWeakly) { return gzipped }
    return tags.contains(where: matchesWeakly) ? self : nil
  }
}
