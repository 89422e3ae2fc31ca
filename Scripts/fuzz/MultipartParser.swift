// sources: System/Text/*.swift Web/HTTP/MultipartParser.swift Web/HTTP/Grammar.swift

/// Form data: a byte that says where to cut, a line with the `Content-Type`, then the body. It stops the run
/// when reading traps, or when one of these does not hold:
///  - the same bytes give the same parts, or the same refusal, however they are cut;
///  - nothing is over its limit;
///  - each part lies in the body, behind a header and before a delimiter, and has none in it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMultipartParser(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let first = input.first, let lineEnd = input.dropFirst().firstIndex(of: UInt8(ascii: "\n")) else {
    return 0
  }
  let type = ByteString(decoding: Array(input[1..<lineEnd]))
  guard let boundary = MultipartParser.boundary(in: type) else { return 0 }
  precondition((1...70).contains(boundary.count), "The boundary has a length that none can have.")
  let body = Array(input[(lineEnd + 1)...])
  let cut = body.count * Int(first) / 256
  let whole = outcome([body], boundary)
  precondition(outcome([Array(body[..<cut]), Array(body[cut...])], boundary) == whole, "A cut changes it.")
  if body.count < 1_024 {
    precondition(outcome(body.map { [$0] }, boundary) == whole, "Single bytes change it.")
  }
  check(whole, body, boundary)
  return 0
}

private let limits = MultipartParser.Limits(parts: 8, headerBytes: 256)

private struct Outcome: Equatable {
  var parts: [MultipartParser.Part] = []
  var failure: MultipartParser.Failure?
}

private func outcome(_ pieces: [[UInt8]], _ boundary: ByteString) -> Outcome {
  var parser = MultipartParser(boundary: boundary, limits: limits)
  do throws(MultipartParser.Failure) {
    for piece in pieces { try parser.take(piece) }
    try parser.finish()
  } catch {
    return Outcome(parts: parser.parts, failure: error)
  }
  return Outcome(parts: parser.parts)
}

private func check(_ outcome: Outcome, _ body: [UInt8], _ boundary: ByteString) {
  let delimiter = Array("\r\n--".utf8) + boundary.bytes
  let parts = outcome.parts
  precondition(parts.count <= limits.parts, "There are more parts than may be.")
  precondition(outcome.failure != nil || !parts.isEmpty, "A form has no part.")
  var end = 0
  for part in parts {
    precondition(part.content.lowerBound >= end && part.content.upperBound <= body.count, "Parts overlap.")
    let header = body[end..<part.content.lowerBound]
    precondition(header.suffix(2) == Array("\r\n".utf8)[...], "A header does not end with its line.")
    let content = body[part.content]
    precondition(!holds(content, delimiter), "A part has a delimiter in it.")
    // A part without content may share the end of its header's last line with the delimiter.
    let next = body[(part.content.isEmpty ? part.content.lowerBound - 2 : part.content.upperBound)...]
    precondition(
      next.starts(with: delimiter) || body[part.content.upperBound...].starts(with: delimiter),
      "No delimiter ends a part.")
    precondition(part.type == part.type.lowercasedASCII && part.type == part.type.trimmed)
    end = part.content.upperBound
  }
}

/// Whether some bytes have others in them, as a slow reading finds it.
private func holds(_ bytes: ArraySlice<UInt8>, _ other: [UInt8]) -> Bool {
  guard bytes.count >= other.count else { return false }
  return (bytes.startIndex...(bytes.endIndex - other.count)).contains { bytes[$0...].starts(with: other) }
}
