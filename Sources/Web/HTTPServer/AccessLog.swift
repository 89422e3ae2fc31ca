import HTTP
import Platform
import Synchronization

/// A file with one JSON line an answer. It has no queries, fields or bodies, where secrets could stand.
///
/// Lines are written by a thread of its own, some at a time, so that a slow disk holds up nobody. When it is
/// too slow for what comes, lines are lost and counted.
package final class AccessLog: Sendable {
  private enum Message: Sendable {
    case record(AccessRecord)
    case reopen
    case close
  }

  private let path: String
  private let inbox = Inbox<Message>()
  private let waitingBytes = Atomic<Int>(0)
  private let lost = Atomic<Int>(0)
  private let thread = Mutex<Thread?>(nil)

  /// Bytes of records that may wait for the disk.
  private static let waitingBytesMax = 16 << 20
  /// More of a path is not logged: a request line may be as long as its limit allows.
  private static let pathBytesMax = 1_024
  /// Lines that come within this time are written at once.
  private static let gatheringMilliseconds = 50

  /// Opens the file for appending; `-` is standard output.
  package init(path: String) throws(SystemError) {
    self.path = path
    let file = try AccessLog.open(path)
    let thread = try Thread(name: "access-log", stackBytes: 256 << 10) { [self] in run(file) }
    self.thread.withLock { $0 = thread }
  }

  /// Takes a record; returns at once.
  package func write(_ record: AccessRecord) {
    guard waitingBytes.load(ordering: .relaxed) < AccessLog.waitingBytesMax else {
      lost.add(1, ordering: .relaxed)
      return
    }
    var record = record
    if record.path.utf8.count > AccessLog.pathBytesMax {
      // Paths are visible ASCII, so that no character is cut in two.
      record.path = String(decoding: record.path.utf8.prefix(AccessLog.pathBytesMax), as: UTF8.self)
    }
    waitingBytes.add(record.memoryBytes, ordering: .relaxed)
    inbox.send(.record(record))
  }

  /// Goes on in a new file of the same name, after somebody has moved the old one away.
  package func reopen() { inbox.send(.reopen) }

  /// Writes what is left and ends.
  package func close() {
    inbox.send(.close)
    thread.withLock { thread in
      thread?.join()
      thread = nil
    }
  }

  private func run(_ first: File?) {
    var file = first
    while true {
      var text = ""
      var isLast = false
      for message in inbox.receive(timeoutMilliseconds: nil) {
        switch message {
        case .record(let record):
          waitingBytes.subtract(record.memoryBytes, ordering: .relaxed)
          text += record.jsonLine
        // Without a new file the old one goes on.
        case .reopen: file = (try? AccessLog.open(path)) ?? file
        case .close: isLast = true
        }
      }
      let missing = lost.exchange(0, ordering: .relaxed)
      if missing > 0 { text += "{\"lost\":\(missing)}\n" }
      if let file {
        // A line that cannot be written is lost: there is nowhere left to say so.
        try? file.write(Array(text.utf8))
      } else {
        StandardStream.output.write(text)
      }
      if isLast { return }
      SystemClock.sleep(milliseconds: AccessLog.gatheringMilliseconds)
    }
  }

  private static func open(_ path: String) throws(SystemError) -> File? {
    path == "-" ? nil : try File(path, .append)
  }
}

extension AccessRecord {
  /// About what the record takes up in memory.
  fileprivate var memoryBytes: Int {
    MemoryLayout<AccessRecord>.stride + path.utf8.count + requestID.utf8.count + principal.utf8.count
      + peer.utf8.count
  }

  /// The record as a line of the log.
  var jsonLine: String {
    let members = [
      "\"time\":\"\(SystemClock.rfc3339(unixMilliseconds: unixMilliseconds))\"",
      "\"request_id\":\(jsonLiteral(requestID))", "\"peer\":\(jsonLiteral(peer))",
      "\"token\":\(principal.isEmpty ? "null" : jsonLiteral(principal))",
      "\"method\":\(method.map { jsonLiteral($0.rawValue) } ?? "null")", "\"path\":\(jsonLiteral(path))",
      "\"status\":\(status)", "\"bytes\":\(bytes)", "\"milliseconds\":\(milliseconds)",
      "\"complete\":\(isComplete)",
    ]
    return "{\(members.joined(separator: ","))}\n"
  }
}
