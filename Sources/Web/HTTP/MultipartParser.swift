import Text

/// Takes a body of type `multipart/form-data` apart as it comes, and says where its parts lie.
///
///     multipart-body := [preamble CRLF] dash-boundary transport-padding CRLF body-part
///                       *encapsulation close-delimiter transport-padding [CRLF epilogue]
///     dash-boundary  := "--" boundary        delimiter := CRLF dash-boundary
///     body-part      := MIME-part-headers [CRLF *OCTET]
///
/// (RFC 2046, section 5.1.1; RFC 7578). Each part must have a `Content-Disposition` of `form-data` with a
/// name. Lines end with CRLF alone. Only positions are kept, whatever the size of the parts.
package struct MultipartParser: Sendable {
  /// A part of the body.
  package struct Part: Sendable, Equatable {
    /// Where its content lies in the body.
    package var content: Range<Int>
    /// Its media type in lower case, without parameters; empty: it has none.
    package var type: ByteString
  }

  /// What may be there at most.
  package struct Limits: Sendable, Equatable {
    /// Parts.
    package var parts: Int
    /// Bytes of the header of one part.
    package var headerBytes: Int

    package init(parts: Int, headerBytes: Int = MultipartParser.headerBytesMax) {
      self.parts = parts
      self.headerBytes = headerBytes
    }
  }

  /// Bytes of the header of one part, if nothing else is said.
  package static let headerBytesMax = 8_192

  /// Why a body is refused.
  package enum Failure: Error, Equatable {
    /// It is not what its type says; the number of the part, from 1.
    case malformed(part: Int, String)
    /// There are more parts than may be.
    case tooManyParts
    /// The header of a part is longer than it may be.
    case headerTooLong(part: Int)
  }

  private enum State {
    /// In the preamble or in the content of a part, until a delimiter comes.
    case content
    /// Behind a boundary: two dashes, or padding and the end of the line.
    case boundaryEnd([UInt8])
    case header([UInt8])
    case epilogue
  }

  /// The parts that are complete.
  package private(set) var parts: [Part] = []

  private let limits: Limits
  /// CRLF, two dashes and the boundary.
  private let delimiter: [UInt8]
  /// For each number of bytes that match, how many match at least when the next one does not.
  private let fallback: [Int]
  private var state = State.content
  /// Bytes of the delimiter that the last bytes match; the body begins as if it were after CRLF.
  private var matched = 2
  /// Bytes seen.
  private var position = 0
  /// Where the content of the present part begins; nil: this is the preamble.
  private var contentStart: Int?
  private var type: ByteString = ""

  private static let paddingMax = 256

  /// - Parameter boundary: as `MultipartParser.boundary(in:)` gives it.
  package init(boundary: ByteString, limits: Limits) {
    self.limits = limits
    delimiter = [0x0D, 0x0A, 0x2D, 0x2D] + boundary.bytes
    var fallback = [0, 0]
    var length = 0
    for byte in delimiter.dropFirst() {
      while length > 0, delimiter[length] != byte { length = fallback[length] }
      if delimiter[length] == byte { length += 1 }
      fallback.append(length)
    }
    self.fallback = fallback
  }

  /// The number of the present part, from 1.
  private var number: Int { parts.count + 1 }

  /// Takes the next bytes.
  package mutating func take(_ bytes: [UInt8]) throws(Failure) {
    var index = bytes.startIndex
    while index < bytes.endIndex {
      if case .content = state, matched == 0 {
        // Nothing else begins a delimiter.
        let next = bytes[index...].firstIndex(of: delimiter[0]) ?? bytes.endIndex
        position += next - index
        index = next
        if index == bytes.endIndex { return }
      }
      let byte = bytes[index]
      index += 1
      position += 1
      switch state {
      case .content: takeContent(byte)
      case .boundaryEnd(var seen):
        seen.append(byte)
        try takeBoundaryEnd(seen)
      case .header(var seen):
        // With no other reference to its bytes, none are copied.
        state = .epilogue
        seen.append(byte)
        try takeHeader(seen)
      case .epilogue: return
      }
    }
  }

  /// Says that the body has ended.
  package func finish() throws(Failure) {
    guard case .epilogue = state else {
      throw .malformed(part: number, "the body ends without the boundary that closes it")
    }
    if parts.isEmpty { throw .malformed(part: 1, "must have at least one part") }
  }

  private mutating func takeContent(_ byte: UInt8) {
    while matched > 0, delimiter[matched] != byte { matched = fallback[matched] }
    if delimiter[matched] == byte { matched += 1 }
    guard matched == delimiter.count else { return }
    matched = 0
    if let start = contentStart {
      // The line that ends the header may be the one that begins the boundary.
      parts.append(Part(content: start..<max(start, position - delimiter.count), type: type))
    }
    state = .boundaryEnd([])
  }

  private mutating func takeBoundaryEnd(_ seen: [UInt8]) throws(Failure) {
    if seen == [0x2D, 0x2D] {
      state = .epilogue
      return
    }
    if seen.suffix(2) == [0x0D, 0x0A], seen.dropLast(2).allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
      guard parts.count < limits.parts else { throw .tooManyParts }
      state = .header([])
      return
    }
    let isPadding = seen.dropLast().allSatisfy { $0 == 0x20 || $0 == 0x09 }
    guard isPadding, seen.count <= Self.paddingMax, let last = seen.last,
      [0x20, 0x09, 0x0D].contains(last) || seen == [0x2D]
    else { throw .malformed(part: number, "the boundary before it is not followed by the end of its line") }
    state = .boundaryEnd(seen)
  }

  private mutating func takeHeader(_ seen: [UInt8]) throws(Failure) {
    let isComplete = seen.suffix(4) == [0x0D, 0x0A, 0x0D, 0x0A] || seen == [0x0D, 0x0A]
    guard isComplete else {
      guard seen.count < limits.headerBytes else { throw .headerTooLong(part: number) }
      state = .header(seen)
      return
    }
    do throws(PartHeader.Failure) {
      type = try PartHeader(Array(seen.dropLast(2))).type
    } catch {
      throw .malformed(part: number, error.message)
    }
    contentStart = position
    matched = 2
    state = .content
  }

  /// The boundary of a `Content-Type` of multipart form data; nil: it has none that is valid.
  ///
  ///     boundary := 0*69<bchars> bcharsnospace      (RFC 2046, section 5.1.1)
  package static func boundary(in contentType: ByteString) -> ByteString? {
    guard let parameters = PartHeader.parameters(of: contentType), let boundary = parameters["boundary"],
      (1...70).contains(boundary.count), boundary.allSatisfy(isBoundary), !boundary.hasSuffix(" ")
    else { return nil }
    return boundary
  }

  private static func isBoundary(_ byte: UInt8) -> Bool {
    Grammar.isDigit(byte) || Grammar.isLetter(byte) || Array("'()+_,-./:=? ".utf8).contains(byte)
  }
}

/// What the header of a part says.
private struct PartHeader {
  struct Failure: Error {
    let message: String
  }

  let type: ByteString

  init(_ bytes: [UInt8]) throws(Failure) {
    var fields: [ByteString: ByteString] = [:]
    for line in ByteString(decoding: bytes).split(0x0A) {
      guard line.hasSuffix("\r") else {
        throw Failure(message: "a line of its header does not end with CRLF")
      }
      let (name, value) = ByteString(decoding: line.bytes.dropLast()).divided(at: 0x3A)
      guard !name.isEmpty, name.allSatisfy(Grammar.isToken), let value,
        value.allSatisfy(Grammar.isFieldContent)
      else { throw Failure(message: "a line of its header is not a field") }
      guard fields.updateValue(value.trimmed, forKey: name.lowercasedASCII) == nil else {
        throw Failure(message: "a field of its header is there twice")
      }
    }
    let disposition = fields["content-disposition"] ?? ""
    guard disposition.divided(at: 0x3B).before.trimmed.equalsIgnoringCase("form-data"),
      Self.parameters(of: disposition)?["name"] != nil
    else { throw Failure(message: "its Content-Disposition must be form-data with a name") }
    let coding = fields["content-transfer-encoding"]?.lowercasedASCII ?? "binary"
    guard ["binary", "8bit", "7bit"].contains(coding) else {
      throw Failure(message: "its Content-Transfer-Encoding must be binary, got \"\(coding.shown)\"")
    }
    type = (fields["content-type"] ?? "").divided(at: 0x3B).before.trimmed.lowercasedASCII
  }

  /// The parameters behind the first semicolon; nil: they are not what the grammar says.
  ///
  ///     parameters = *( OWS ";" OWS [ token "=" ( token / quoted-string ) ] )   (RFC 9110, section 5.6.6)
  static func parameters(of value: ByteString) -> [ByteString: ByteString]? {
    var parameters: [ByteString: ByteString] = [:]
    var rest = Array(value.bytes)[...]
    rest = rest[(rest.firstIndex(of: 0x3B) ?? rest.endIndex)...]
    while rest.first == 0x3B {
      rest = rest.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
      let name = rest.prefix(while: Grammar.isToken)
      rest = rest.dropFirst(name.count)
      if name.isEmpty {
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
        continue
      }
      guard rest.first == 0x3D else { return nil }
      rest = rest.dropFirst()
      guard let text = takeText(&rest) else { return nil }
      rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
      let key = ByteString(decoding: name).lowercasedASCII
      guard parameters.updateValue(ByteString(decoding: text), forKey: key) == nil else { return nil }
    }
    return rest.isEmpty ? parameters : nil
  }

  private static func takeText(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    guard rest.first == 0x22 else {
      let token = rest.prefix(while: Grammar.isToken)
      rest = rest.dropFirst(token.count)
      return token.isEmpty ? nil : Array(token)
    }
    var text: [UInt8] = []
    rest = rest.dropFirst()
    while let byte = rest.popFirst() {
      if byte == 0x22 { return text }
      if byte == 0x5C, let next = rest.popFirst() { text.append(next) } else { text.append(byte) }
    }
    return nil
  }
}
