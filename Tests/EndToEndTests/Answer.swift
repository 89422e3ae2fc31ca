import JSONText
import Platform
import Testing

/// What the daemon answers to one request, read to its end.
struct Answer {
  let status: Int
  /// By lower-case name.
  let fields: [String: String]
  /// Every `Set-Cookie`, in order.
  let cookies: [String]
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }

  /// The body's lines as JSON.
  var events: [JSON] { text.split(separator: "\n").compactMap { try? JSON.parse(String($0)) } }

  /// Sends a request on a new connection, which the daemon closes behind its answer.
  ///
  /// - Parameter fields: of the request; a `Host` among them takes the place of the usual one.
  init(
    port: Int, method: String, path: String, body: String?, fields: [(name: String, value: String)] = []
  ) throws {
    try self.init(
      port: port, method: method, path: path, content: body.map { Array($0.utf8) }, type: "application/json",
      fields: fields)
  }

  /// The same with content of any type.
  init(
    port: Int, method: String, path: String, content given: [UInt8]?, type: String,
    fields: [(name: String, value: String)] = []
  ) throws {
    let socket = try Socket.connect(host: "127.0.0.1", port: port, timeoutSeconds: 60)
    let content = given ?? []
    var head = "\(method) \(path) HTTP/1.1\r\nConnection: close\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    if !fields.contains(where: { $0.name == "Host" }) { head += "Host: 127.0.0.1:\(port)\r\n" }
    if given != nil { head += "Content-Type: \(type)\r\nContent-Length: \(content.count)\r\n" }
    let bytes = Array((head + "\r\n").utf8) + content
    var sent = 0
    while sent < bytes.count, case .moved(let count) = socket.write(bytes, from: sent) { sent += count }
    var received: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while case .moved(let count) = socket.read(into: &piece) { received += piece[..<count] }
    try self.init(received)
  }

  /// The daemon went before it answered.
  struct Missing: Error {}

  private init(_ bytes: [UInt8]) throws {
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else {
      throw Missing()
    }
    let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
    status = try #require(Int(lines[0].split(separator: " ")[1]))
    var fields: [String: String] = [:]
    var cookies: [String] = []
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
      if parts[0].lowercased() == "set-cookie" { cookies.append(String(parts[1].dropFirst())) }
      fields[parts[0].lowercased()] = String(parts[1].dropFirst())
    }
    self.fields = fields
    self.cookies = cookies
    let content = bytes[(end + 4)...]
    body = fields["transfer-encoding"] == "chunked" ? try Answer.joined(content) : Array(content)
  }

  /// The data of chunks (RFC 9112, section 7.1), without trailers.
  private static func joined(_ chunks: ArraySlice<UInt8>) throws -> [UInt8] {
    var data: [UInt8] = []
    var rest = chunks
    while true {
      let lineEnd = try #require(rest.firstIndex(of: 13), "the answer was cut off")
      let size = try #require(Int(String(decoding: rest[..<lineEnd], as: UTF8.self), radix: 16))
      if size == 0 { return data }
      rest = rest[(lineEnd + 2)...]
      data += rest.prefix(size)
      rest = rest.dropFirst(size + 2)
    }
  }
}
