import Platform
import Synchronization

/// Appends events to `events.jsonl`, one `write(2)` a line. To be made by the holder of the run's lock.
package final class EventWriter: Sendable {
  private let path: String
  /// Byte behind the last whole line.
  private let end: Mutex<Int>
  private let file: File

  /// Opens the file at its end and cuts off a last line that a killed predecessor left unfinished.
  package init(_ folder: RunFolder) throws(SystemError) {
    path = folder.eventsPath
    file = try File(path, .append, links: .refused)
    let end = try EventTail.end(of: path)
    if try file.size() != end { try file.truncate(to: end) }
    self.end = Mutex(end)
  }

  /// Appends one event with the time of now, whole or not at all.
  package func append(_ event: WorkerEvent) throws(SystemError) {
    let bytes = Array((event.line(time: SystemClock.rfc3339Now) + "\n").utf8)
    try end.withLock { end throws(SystemError) in
      do throws(SystemError) {
        try file.write(bytes)
        end += bytes.count
      } catch {
        // A disk that has become full took a part, to which the next line must not be joined.
        try file.truncate(to: end)
        throw error
      }
    }
  }

  /// Makes what was appended durable.
  package func sync() throws(SystemError) { try file.sync() }
}
