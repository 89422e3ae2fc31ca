import HTTP
import HTTPServer
import Platform
import Support
import Synchronization
import Testing

/// A client that sees every byte, over a real connection.
final class Client {
  private let socket: Socket
  private var buffer: [UInt8] = []
  private var hasEnded = false

  /// - Parameter receiveBytes: bounds what the kernel keeps unread, for tests of slow readers.
  init(port: Int, receiveBytes: Int32? = nil) throws {
    socket = try Socket.connect(host: "127.0.0.1", port: port)
    socket.setBufferBytes(receive: receiveBytes)
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count, case .moved(let count) = socket.write(bytes, from: sent) { sent += count }
  }

  /// Says that nothing more will be sent.
  func finishSending() { socket.shutDownWriting() }

  /// Breaks the connection.
  func reset() { socket.resetOnClose() }

  /// The next answer. The body of one to HEAD is known to be missing only by who asked.
  func answer(toHead: Bool = false) throws -> RawAnswer {
    let head = try String(decoding: take(through: [13, 10, 13, 10]), as: UTF8.self)
    let lines = head.split(separator: "\r\n").map(String.init)
    var answer = RawAnswer(status: Int(lines[0].split(separator: " ")[1]) ?? 0, fields: [:], body: [])
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
      answer.fields[parts[0].lowercased()] = String(parts[1].dropFirst())
    }
    if toHead || answer.status < 200 || answer.status == 204 || answer.status == 304 { return answer }
    if answer.fields["transfer-encoding"] == "chunked" {
      while let chunk = try chunk() { answer.body += chunk }
    } else if let length = answer.fields["content-length"].flatMap(Int.init) {
      answer.body = try take(count: length)
    } else {
      answer.body = rest()
    }
    return answer
  }

  /// The next chunk's data; nil for the last.
  func chunk() throws -> [UInt8]? {
    let line = try String(decoding: take(through: [13, 10]).dropLast(2), as: UTF8.self)
    let size = try #require(Int(line, radix: 16))
    let data = try take(count: size)
    #expect(try take(count: 2) == [13, 10])
    return size == 0 ? nil : data
  }

  /// The bytes through a mark.
  func take(through mark: [UInt8]) throws -> [UInt8] {
    while true {
      if buffer.count >= mark.count {
        for start in 0...(buffer.count - mark.count)
        where buffer[start..<(start + mark.count)].elementsEqual(mark) {
          return try take(count: start + mark.count)
        }
      }
      try fill()
    }
  }

  func take(count: Int) throws -> [UInt8] {
    while buffer.count < count { try fill() }
    defer { buffer.removeFirst(count) }
    return Array(buffer[..<count])
  }

  /// Everything up to the end of the connection.
  func rest() -> [UInt8] {
    while (try? fill()) != nil {}
    defer { buffer = [] }
    return buffer
  }

  private func fill() throws {
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    guard case .moved(let count) = socket.read(into: &piece) else { throw ConnectionEnded() }
    buffer += piece[..<count]
  }
}

struct ConnectionEnded: Error {}

/// An answer as it came.
struct RawAnswer {
  var status: Int
  var fields: [String: String]
  var body: [UInt8]
  var text: String { String(decoding: body, as: UTF8.self) }
}

/// Runs a test body against a server of its own.
func withServer(
  _ configure: (inout ServerConfiguration) -> Void = { _ in },
  instant: @escaping InstantHandler = { _ in nil }, handler: @escaping Handler = echo,
  _ body: (Int) throws -> Void
) throws {
  var configuration = ServerConfiguration()
  configure(&configuration)
  let server = HTTPServer(configuration, instant: instant, handler: handler)
  let port = try server.start()
  defer { server.stop(graceSeconds: 2) }
  try body(port)
}

/// Answers with method, path and body.
let echo: Handler = { request in
  let line = "\(request.method.rawValue) \(request.segments.joined(separator: "|")) "
  return Response(contentType: "text/plain", bytes: Array(line.utf8) + request.body)
}

/// A stream whose steps a test decides, and which counts what is asked of it.
final class ScriptedStream: BodyStream {
  let steps = Mutex<[BodyStep]>([])
  let pulls = Atomic<Int>(0)
  let closings = Inbox<Void>()
  private let repeated: BodyStep?

  /// - Parameter repeated: what comes when the steps are used up; without it an error does.
  init(_ steps: [BodyStep], repeated: BodyStep? = .end) {
    self.repeated = repeated
    self.steps.withLock { $0 = steps }
  }

  func next() throws -> BodyStep {
    pulls.add(1, ordering: .relaxed)
    let step = steps.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    guard let step = step ?? repeated else { throw ConnectionEnded() }
    return step
  }

  func close() { closings.send(()) }

  /// Whether `close` has come exactly once; waits for it.
  func isClosedOnce() -> Bool { closings.receive(timeoutMilliseconds: Patience.milliseconds).count == 1 }
}
