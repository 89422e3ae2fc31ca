import Crypto
import HTTP
import JobStore
import Text

extension Request {
  /// The request's `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), with or without its quotes;
  /// nil without one.
  ///
  /// - Throws: 400 for one that is not a key.
  func idempotencyKey() throws(Problem) -> IdempotencyKey? {
    let fields = headers.all("Idempotency-Key")
    guard let field = fields.first else { return nil }
    let isQuoted = field.count >= 2 && field.hasPrefix("\"") && field.hasSuffix("\"")
    let key = isQuoted ? ByteString(decoding: field.bytes.dropFirst().dropLast()) : field
    let isVisible = key.bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 }
    guard fields.count == 1, (1...255).contains(key.count), isVisible else {
      throw Problem(
        status: 400,
        detail:
          "Idempotency-Key may be given only once and must be 1 to 255 visible ASCII characters without "
          + "quotes, got \"\(field.shown)\".")
    }
    let hash = SHA256()
    hash.update(Array("\(method.rawValue) /\(segments.joined(separator: "/"))?".utf8))
    for (name, value) in query { hash.update(Array("\(name)=\(value)&".utf8)) }
    hash.update([0])
    hash.update(body)
    return IdempotencyKey(owner: principal, key: key, requestSHA256: hexadecimal(hash.finish()))
  }
}

extension StoredAnswer {
  /// The answer as it was given first; `Idempotency-Replayed` tells a second time.
  func response(isRepeated: Bool) -> Response {
    var response = Response(status: status, contentType: "application/json", bytes: Array(body.utf8))
    response.headers.add("Cache-Control", "no-cache")
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
      response.headers.add(ByteString(name), value)
    }
    if isRepeated { response.headers.add("Idempotency-Replayed", "true") }
    return response
  }
}
