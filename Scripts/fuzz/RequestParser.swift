// sources: System/Text/*.swift Web/HTTP/*.swift

import Text

/// What libFuzzer calls with one input: a byte that says where to cut, then what a client sends.
///
/// It stops the run when the parser traps, or when one of these does not hold:
///  - the same bytes give the same requests however they are cut;
///  - what may be a whole request by its bytes is one, or is refused;
///  - nothing is over its limit;
///  - what has been decoded holds no NUL, and no field holds a control byte.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequestParser(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = Array(UnsafeBufferPointer(start: start, count: count))
  guard let first = input.first else { return 0 }
  let bytes = input[1...]
  let cut = bytes.startIndex + bytes.count * Int(first) / 256
  let whole = outcome([bytes])
  precondition(outcome([bytes[..<cut], bytes[cut...]]) == whole, "A cut changes what is read.")
  if count < 512 {
    precondition(outcome(bytes.indices.map { bytes[$0...$0] }) == whole, "Single bytes change what is read.")
  }
  return 0
}

/// What the parser gives, bodies joined over their pieces. Heads compare by all that they hold.
private enum Outcome: Equatable {
  case head(RequestHead)
  case body([UInt8])
  case refusal(String)

  static func == (one: Outcome, other: Outcome) -> Bool {
    switch (one, other) {
    case (.head(let a), .head(let b)):
      a.method == b.method && a.target == b.target && a.minorVersion == b.minorVersion
        && a.framing == b.framing && a.keepsAlive == b.keepsAlive && a.expectsContinue == b.expectsContinue
        && a.headers.fields.elementsEqual(b.headers.fields, by: ==)
    case (.body(let a), .body(let b)): a == b
    case (.refusal(let a), .refusal(let b)): a == b
    default: false
    }
  }
}

/// Everything that the parser makes of pieces.
private func outcome(_ pieces: [ArraySlice<UInt8>]) -> [Outcome] {
  var limits = RequestLimits()
  limits.headerBytesMax = 1_024
  limits.headerCountMax = 16
  limits.bodyBytesMax = 2_048
  var parser = RequestParser(limits: limits)
  var outcomes: [Outcome] = []
  var body: [UInt8] = []
  do {
    for piece in pieces {
      parser.append(piece)
      let isWhole = parser.possibleRequest != nil
      var isRead = false
      while let event = try parser.next() {
        isRead = true
        switch event {
        case .head(let head):
          check(head, limits)
          outcomes.append(.head(head))
        case .body(let bytes):
          body += bytes
          precondition(body.count <= limits.bodyBytesMax, "The body is over its limit.")
        case .end:
          outcomes.append(.body(body))
          body = []
        }
      }
      precondition(!isWhole || isRead, "A whole request is waited for.")
    }
    outcomes.append(.body(body))
  } catch {
    outcomes.append(.refusal(error.detail))
  }
  return outcomes
}

private func check(_ head: RequestHead, _ limits: RequestLimits) {
  precondition(head.headers.fields.count <= limits.headerCountMax, "There are too many fields.")
  for field in head.headers.fields {
    let isClean = field.value.bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    precondition(isClean && !field.name.isEmpty, "A field holds a control byte.")
  }
  let texts = head.target.segments + head.target.query.flatMap { [$0.name, $0.value] }
  precondition(!texts.contains { $0.bytes.contains(0) }, "A NUL came through.")
  if let field = head.headers["Range"] { _ = ByteRanges(field, bodyBytes: 1_000) }
  if let field = head.headers["If-None-Match"] { _ = EntityTag.list(field) }
}
