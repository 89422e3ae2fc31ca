import Text

/// What a request line asks for, taken apart and percent-decoded once (RFC 9112, section 3.2).
package struct RequestTarget: Equatable, Sendable {
  /// The target as it came, for logs: visible ASCII only.
  package var text: ByteString
  /// Host and port of the absolute form, which count instead of the Host field (RFC 9112, section 3.2.2).
  package var authority: ByteString?
  /// The scheme of the absolute form: whether it is `https`.
  package var isSecure: Bool?
  /// The path, decoded segment by segment; `*` alone for `OPTIONS *`.
  package var segments: [ByteString] = []
  /// The query's parameters in order, decoded; `+` is a space, as forms and URLSearchParams write it.
  package var query: [(name: ByteString, value: ByteString)] = []

  package static func == (one: RequestTarget, other: RequestTarget) -> Bool {
    one.text == other.text && one.authority == other.authority && one.isSecure == other.isSecure
      && one.segments == other.segments
      && one.query.elementsEqual(other.query, by: ==)
  }

  /// request-target = origin-form / absolute-form / authority-form / asterisk-form.
  /// The authority-form belongs to CONNECT alone.
  ///
  /// - Throws: `targetMalformed`, `percentEncodingMalformed`.
  init(_ bytes: ArraySlice<UInt8>, method: Method) throws(RequestError) {
    text = ByteString(decoding: bytes)
    var rest = bytes
    if rest.elementsEqual([0x2A]), method == .options {
      segments = ["*"]
      return
    }
    if method == .connect {
      guard rest.contains(0x3A), rest.first != 0x3A, Grammar.isAuthority(rest) else { throw .targetMalformed }
      authority = text
      return
    }
    if rest.first != 0x2F {
      let schemes: [ByteString] = ["http://", "https://"]
      guard let scheme = schemes.first(where: { RequestTarget.begins(rest, with: $0) }) else {
        throw .targetMalformed
      }
      isSecure = scheme == "https://"
      rest = rest.dropFirst(scheme.count)
      let end = rest.firstIndex { $0 == 0x2F || $0 == 0x3F } ?? rest.endIndex
      // A host that is empty is no http address (RFC 9110, section 4.2.1).
      guard end > rest.startIndex, rest.first != 0x3A, Grammar.isAuthority(rest[..<end]) else {
        throw .targetMalformed
      }
      authority = ByteString(decoding: rest[..<end])
      rest = rest[end...]
    }
    let mark = rest.firstIndex(of: 0x3F) ?? rest.endIndex
    segments = try RequestTarget.segments(of: rest[..<mark])
    if mark < rest.endIndex { query = try RequestTarget.parameters(of: rest[(mark + 1)...]) }
  }

  private static func begins(_ bytes: ArraySlice<UInt8>, with scheme: ByteString) -> Bool {
    ByteString(decoding: bytes.prefix(scheme.count)).equalsIgnoringCase(scheme)
  }

  private static func segments(of path: ArraySlice<UInt8>) throws(RequestError) -> [ByteString] {
    guard path.allSatisfy(Grammar.isPath) else { throw .targetMalformed }
    guard path.count > 1 else { return [] }
    var segments: [ByteString] = []
    for segment in path.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
      segments.append(try decode(segment, plusIsSpace: false))
    }
    return segments
  }

  private static func parameters(
    of query: ArraySlice<UInt8>
  ) throws(RequestError) -> [(name: ByteString, value: ByteString)] {
    guard query.allSatisfy(Grammar.isQuery) else { throw .targetMalformed }
    var parameters: [(name: ByteString, value: ByteString)] = []
    for pair in query.split(separator: 0x26) {
      let equals = pair.firstIndex(of: 0x3D) ?? pair.endIndex
      let name = try decode(pair[..<equals], plusIsSpace: true)
      let value = try decode(pair[equals...].dropFirst(), plusIsSpace: true)
      parameters.append((name, value))
    }
    return parameters
  }

  /// Replaces each `%xy` once; what comes out must be UTF-8 without NUL.
  private static func decode(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) throws(RequestError) -> ByteString
  {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var position = bytes.startIndex
    while position < bytes.endIndex {
      let byte = bytes[position]
      position += 1
      guard byte == 0x25 else {
        decoded.append(byte == 0x2B && plusIsSpace ? 0x20 : byte)
        continue
      }
      guard position + 1 < bytes.endIndex, let high = Grammar.hexValue(bytes[position]),
        let low = Grammar.hexValue(bytes[position + 1]), high | low != 0
      else { throw .percentEncodingMalformed }
      decoded.append(high << 4 | low)
      position += 2
    }
    guard let text = ByteString(validating: decoded) else { throw .percentEncodingMalformed }
    return text
  }
}
