import Platform

/// Appends events to `events.jsonl`, one `write(2)` a line. To be made by the holder of the run's lock.
package final class EventWriter: Sendable {
  private let file: File

  /// Opens the file at its end and cuts off a last line that a killed predecessor left unfinished.
  package init(_ folder: RunFolder) throws(SystemError) {
    file = try File(folder.eventsPath, .append)
    try EventWriter.removeTornLine(folder.eventsPath)
  }

  /// Appends one event with the time of now.
  package func append(_ event: WorkerEvent) throws(SystemError) {
    try file.write(Array((event.line(time: SystemClock.rfc3339Now) + "\n").utf8))
  }

  /// Makes what was appended durable.
  package func sync() throws(SystemError) { try file.sync() }

  private static func removeTornLine(_ path: String) throws(SystemError) {
    let file = try File(path, .readWrite)
    var end = try file.size()
    while end > 0 {
      let start = max(0, end - pieceBytes)
      let piece = try file.read(at: start, countMax: end - start)
      if let newline = piece.lastIndex(of: UInt8(ascii: "\n")) {
        end = start + newline + 1
        break
      }
      end = start
    }
    if try file.size() != end { try file.truncate(to: end) }
  }

  private static let pieceBytes = 1 << 16
}
